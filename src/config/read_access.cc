// SPDX-License-Identifier: Apache-2.0
// Who may ask: `access`, and the TLS of the listener.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "policy/access.h"

namespace weir::config {
namespace {

constexpr std::string_view kNameKinds[] = {"DNS:", "URI:", "email:", "IP:", "CN:"};

bool is_certificate_name(std::string_view text) {
  return std::ranges::any_of(kNameKinds, [&](std::string_view kind) {
    return text.starts_with(kind) && text.size() > kind.size();
  });
}

CertificateRule read_certificate_rule(MapReader map) {
  CertificateRule rule;
  if (map.required("san")) map.text("san", rule.san);
  if (map.required("subject")) map.text("subject", rule.subject);
  if (!rule.san.empty() && !is_certificate_name(rule.san)) {
    map.problem("san", fmt::format("'{}' is no name of a certificate", printable(rule.san)),
                "DNS:, URI:, email:, IP: or CN: and what follows it in the certificate");
  }
  if (!rule.subject.empty() && !policy::is_subject(rule.subject)) {
    map.problem("subject", fmt::format("'{}' is no subject", printable(rule.subject)),
                "letters, digits and . _ - @, at most 64");
  }
  std::vector<std::string> roles;
  if (map.required("roles")) map.strings("roles", roles);
  for (const std::string& name : roles) {
    if (const auto role = parse_role(name)) {
      rule.roles.add(*role);
    } else {
      map.problem("roles", fmt::format("'{}' is no role", printable(name)),
                  did_you_mean(name, role_names()));
    }
  }
  map.finish();
  return rule;
}

}  // namespace

AccessSpec read_access(MapReader map) {
  AccessSpec access;
  map.flag("open", access.open);
  if (const YamlNode* list = map.take("certificates")) {
    if (list->kind != YamlNode::Kind::list)
      map.report().add(map.file(), *list, "'certificates' must be a list");
    for (const YamlNode& item : list->items)
      access.certificates.push_back(read_certificate_rule(
          MapReader(map.report(), map.file(), item, "a rule for a certificate")));
  }
  map.finish();
  return access;
}

ListenTlsSpec read_listen_tls(MapReader map) {
  ListenTlsSpec tls;
  if (map.required("certificate")) map.text("certificate", tls.certificate);
  if (map.required("key")) map.text("key", tls.key);
  map.text("clientCa", tls.client_ca);
  int clients = 0;
  map.choice("clientCertificates", {"none", "optional", "required"}, clients);
  tls.client_certificates = static_cast<ClientCertificates>(clients);
  const bool wanted = tls.client_certificates != ClientCertificates::none;
  if (wanted && tls.client_ca.empty()) {
    map.problem("clientCertificates", "client certificates need 'clientCa'",
                "the file with the certificates of those who sign them");
  }
  if (!wanted && !tls.client_ca.empty()) {
    map.problem("clientCa", "'clientCa' is of no use without 'clientCertificates'",
                "clientCertificates: optional or required");
  }
  map.finish();
  return tls;
}

}  // namespace weir::config
