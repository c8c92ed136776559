// SPDX-License-Identifier: Apache-2.0
// Data keys of streams as one connection sees them: how records are sealed and opened. Without a
// keyring everything is plain, as it always was.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/records/encryption.h"
#include "store/records/envelope.h"
#include "store/records/keyring.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

// The data keys of what belongs to no stream.
inline constexpr StreamId kStoreKeys{0};
inline constexpr std::size_t kKeysRemembered = 256;

// What `write` deletes or replaces is overwritten in its pages, not only unlinked. In a
// transaction; what the log still has goes with Checkpointer::truncate().
template <class Write>
Result<> erasing(Connection& db, Write write) {
  WEIR_CHECK(db.execute("PRAGMA secure_delete=ON"));
  Result<> done = write();
  WEIR_CHECK(db.execute("PRAGMA secure_delete=OFF"));
  return done;
}

class StreamKeys {
 public:
  // `ring` may be null. On the connection's thread.
  StreamKeys(Connection& db, std::shared_ptr<Keyring> ring) : db_(db), ring_(std::move(ring)) {}

  bool on() const { return ring_ != nullptr; }
  Keyring* ring() const { return ring_.get(); }

  // At the beginning of a transaction that writes, or after one was rolled back.
  void begin() { nonces_.begin(); }
  void forget();
  std::size_t remembered() const { return keys_.size(); }

  // --- writing, in a transaction: makes the stream's first data key if there is none ---
  // Replaces `into`.
  Result<> seal_event(Position position, const Envelope& envelope, std::string& into);
  Result<std::string> seal(std::string_view table, StreamId stream, std::string_view bound,
                           std::string_view payload);

  // --- reading: plain records need no key. Views are valid until the next call. ---
  // Errors: store_corrupt; key_missing; stream_shredded if the data key was destroyed.
  Result<Envelope> open_event(Position position, std::string_view sealed);
  Result<std::string_view> unseal(std::string_view table, std::string_view bound,
                                  std::string_view sealed, std::string_view what);

  // What stands for a text of an event in a column that is searched by equality: a keyed hash, and
  // the text itself without a keyring. Empty stays empty.
  Result<std::string> column(std::string_view text);

  // --- data keys; see RotateKeys and ShredStream ---
  Result<std::uint32_t> rotate();
  Result<std::uint32_t> destroy(StreamId stream);
  // At open: every data key must be there to be used. key_missing, key_wrong.
  Result<> verify();
  // Makes the key of the store, without which a plain store would not be known as an encrypted one.
  Result<> ensure_store_key();

 private:
  Result<XaesGcm*> find(KeyName name);
  Result<SecretKey> read(KeyName name);
  Result<KeyName> current(StreamId stream);
  Result<> make(KeyName name);
  Result<> wrap_anew(KeyName name);

  Connection& db_;
  std::shared_ptr<Keyring> ring_;
  std::map<KeyName, XaesGcm> keys_;
  std::map<StreamId, std::uint32_t> current_;
  std::optional<SecretKey> column_key_;
  Nonces nonces_;
  std::uint64_t destroyed_seen_ = 0;
  std::string plain_;   // what was opened last
  std::string cipher_;  // reused for sealing
};

}  // namespace weir::store::sqlite
