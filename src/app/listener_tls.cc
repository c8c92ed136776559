// SPDX-License-Identifier: Apache-2.0
#include "app/listener_tls.h"

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "wire/digest.h"

namespace weir::app {
namespace {

std::string digest_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  return wire::sha256_hex(bytes);
}

}  // namespace

ListenerTls::Seen ListenerTls::look(const std::string& file) {
  struct stat about{};
  if (file.empty() || ::stat(file.c_str(), &about) != 0) return {};
  return {.changed_ns = about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec,
          .inode = about.st_ino,
          .bytes = static_cast<std::uint64_t>(about.st_size)};
}

std::array<ListenerTls::Seen, 3> ListenerTls::look_at_all(const ListenTlsSpec& spec) {
  return {look(spec.certificate), look(spec.key), look(spec.client_ca)};
}

Result<std::shared_ptr<net::TlsListener>> ListenerTls::load(const ListenTlsSpec& spec,
                                                            WallTime now) {
  if (spec.certificate.empty()) return std::shared_ptr<net::TlsListener>();
  const auto seen = look_at_all(spec);  // before: what changes meanwhile is a change
  WEIR_TRY(auto loaded,
           net::load_tls_listener(
               {.certificate = spec.certificate,
                .key = spec.key,
                .client_ca = spec.client_ca,
                .clients = static_cast<net::ClientCertificate>(spec.client_certificates)},
               now));
  spec_ = spec;
  seen_ = seen;
  digests_ = "certificate " + digest_of(spec.certificate);
  if (!spec.client_ca.empty()) digests_ += ", clientCa " + digest_of(spec.client_ca);
  expires_ = net::expiry(*loaded);
  return loaded;
}

bool ListenerTls::files_changed() {
  if (spec_.certificate.empty()) return false;
  const auto before = std::exchange(seen_, look_at_all(spec_));
  return before != seen_;
}

}  // namespace weir::app
