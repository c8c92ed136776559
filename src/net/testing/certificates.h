// SPDX-License-Identifier: Apache-2.0
// Certificates made on the spot, for tests, in a folder that goes with its authority.
#pragma once

#include <string>

namespace weir::net::testing {

struct CertificateSpec {
  std::string subject_alt_name = "DNS:localhost,IP:127.0.0.1";
  std::string common_name = "test server";
  int valid_from_days = -1;  // relative to now
  int valid_to_days = 1;
  bool signed_by_ca = true;  // false: by itself
};

// PEM files; the key has mode 0600.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& folder() const { return folder_; }
  std::string ca_file() const { return folder_ + "/ca.pem"; }
  CertificateFiles issue(const CertificateSpec& spec);

 private:
  struct Own;
  std::string folder_;
  Own* own_;
  int issued_ = 0;
};

}  // namespace weir::net::testing
