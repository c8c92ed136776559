// SPDX-License-Identifier: Apache-2.0
// The listener's certificate, key and client CA: loaded, and looked at for changes. Files of which
// one is new and another not yet do not fit together; they are taken when they do.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "model/config_model.h"
#include "net/tls_listener.h"

namespace weir::app {

class ListenerTls {
 public:
  // Nullptr if the listener is to speak plain HTTP. certificate_unusable; what was loaded before
  // stays.
  Result<std::shared_ptr<net::TlsListener>> load(const ListenTlsSpec& spec, WallTime now);
  // True once for every change of a file since it was last asked or loaded.
  bool files_changed();
  // As if they had changed.
  void look_again() { seen_ = {}; }
  // Of what was loaded last, for the audit: "certificate 3f2a..., clientCa 77b1...".
  const std::string& digests() const { return digests_; }
  // Of the certificate in use; epoch zero without one.
  WallTime expires() const { return expires_; }
  const ListenTlsSpec& spec() const { return spec_; }

 private:
  struct Seen {
    std::int64_t changed_ns = 0;
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
    bool operator==(const Seen&) const = default;
  };
  static Seen look(const std::string& file);
  static std::array<Seen, 3> look_at_all(const ListenTlsSpec& spec);

  ListenTlsSpec spec_;
  std::array<Seen, 3> seen_;
  std::string digests_;
  WallTime expires_{};
};

}  // namespace weir::app
