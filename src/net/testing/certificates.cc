// SPDX-License-Identifier: Apache-2.0
#include "net/testing/certificates.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace weir::net::testing {
namespace {

void require_made(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key make_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require_made(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require_made(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, const char* common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name);
  require_made(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1, "name");
}

Certificate make_certificate(const char* common_name, EVP_PKEY* key, int from_days, int to_days) {
  static long serial = 0;
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_days * 86'400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_days * 86'400L);
  set_name(X509_get_subject_name(certificate.get()), common_name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  require_made(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "sign");
}

using File = std::unique_ptr<FILE, decltype(&std::fclose)>;

File create(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), std::fclose);
  require_made(file != nullptr && ::chmod(path.c_str(), 0600) == 0, "file");
  return file;
}

void write_pem(const std::string& path, X509* certificate) {
  require_made(PEM_write_X509(create(path).get(), certificate) == 1, "write");
}

void write_pem(const std::string& path, EVP_PKEY* key) {
  const File file = create(path);
  require_made(PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
               "write");
}

}  // namespace

struct TestAuthority::Own {
  Key key = make_key();
  Certificate certificate = make_certificate("test CA", key.get(), -1, 1);
};

TestAuthority::TestAuthority() : own_(new Own) {
  folder_ = (std::filesystem::temp_directory_path() / "weir_test_ca_XXXXXX").string();
  require_made(::mkdtemp(folder_.data()) != nullptr, "mkdtemp");
  X509* ca = own_->certificate.get();
  add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  sign(ca, ca, own_->key.get());
  write_pem(ca_file(), ca);
}

TestAuthority::~TestAuthority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  delete own_;
}

CertificateFiles TestAuthority::issue(const CertificateSpec& spec) {
  const Key key = make_key();
  const Certificate made = make_certificate(spec.common_name.c_str(), key.get(),
                                            spec.valid_from_days, spec.valid_to_days);
  if (!spec.subject_alt_name.empty())
    add_extension(made.get(), own_->certificate.get(), NID_subject_alt_name, spec.subject_alt_name);
  if (spec.signed_by_ca) {
    sign(made.get(), own_->certificate.get(), own_->key.get());
  } else {
    sign(made.get(), made.get(), key.get());
  }
  const std::string stem = folder_ + "/" + std::to_string(++issued_);
  const CertificateFiles files{stem + ".pem", stem + ".key"};
  write_pem(files.certificate, made.get());
  write_pem(files.key, key.get());
  return files;
}

}  // namespace weir::net::testing
