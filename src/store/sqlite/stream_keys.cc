// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/stream_keys.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace weir::store::sqlite {
namespace {

constexpr std::uint32_t kFirstGeneration = 1;

std::string name_of(StreamId stream) {
  return stream == kStoreKeys ? std::string("the store") : fmt::format("stream {}", stream.value);
}

Error no_key() {
  return Error{Code::key_missing, "the store is encrypted",
               "name its key file in the configuration: encryption: { keyFile: PATH }"};
}

Error shredded(KeyName name) {
  return Error{
      Code::stream_shredded,
      fmt::format("data key {} of {} was destroyed", name.generation, name_of(name.stream)),
      "what was sealed under it is gone for good"};
}

Error wrong_key(std::string_view wanted, const Keyring::Keys& given) {
  std::string ids;
  for (const MasterKey& key : given) ids += (ids.empty() ? "" : ", ") + key.id;
  return Error{
      Code::key_wrong, fmt::format("the store needs master key {}, and was given {}", wanted, ids),
      "name the file of the other one in encryption.keyFile or encryption.previousKeyFiles"};
}

Error lost(KeyName name) {
  return Error{Code::store_corrupt,
               fmt::format("data key {} of {} is missing", name.generation, name_of(name.stream)),
               "run `weir store check` and restore a backup"};
}

}  // namespace

void StreamKeys::forget() {
  keys_.clear();
  current_.clear();
  nonces_.begin();
  wipe(plain_);
}

Result<SecretKey> StreamKeys::read(KeyName name) {
  WEIR_TRY(
      Query query,
      db_.query("SELECT master, wrapped FROM stream_keys WHERE stream = ?1 AND generation = ?2",
                name.stream.value, name.generation));
  WEIR_TRY(const bool row, query.next());
  if (!row) return lost(name);
  if (query.bytes(1).empty()) return shredded(name);
  if (!ring_) return no_key();
  const auto masters = ring_->keys();
  const MasterKey* master = find_key(*masters, query.bytes(0));
  if (master == nullptr) return wrong_key(query.bytes(0), *masters);
  return unwrap(*master, name.stream, name.generation, query.bytes(1));
}

Result<XaesGcm*> StreamKeys::find(KeyName name) {
  if (ring_ && ring_->destroyed() != destroyed_seen_) {
    destroyed_seen_ = ring_->destroyed();
    forget();
  }
  const auto known = keys_.find(name);
  if (known != keys_.end()) return &known->second;
  WEIR_TRY(const SecretKey key, read(name));
  if (keys_.size() >= kKeysRemembered) keys_.clear();
  return &keys_.emplace(name, XaesGcm(key)).first->second;
}

Result<> StreamKeys::make(KeyName name) {
  const auto masters = ring_->keys();
  const std::string wrapped = wrap(masters->front(), name.stream, name.generation,
                                   SecretKey::random());
  WEIR_CHECK(
      db_.run("INSERT INTO stream_keys(stream, generation, master, wrapped, created_at) "
              "VALUES(?1, ?2, ?3, ?4, CAST(strftime('%s', 'now') AS INTEGER))",
              name.stream.value, name.generation, masters->front().id, wrapped));
  current_[name.stream] = name.generation;
  return {};
}

// The newest one, unless it was destroyed: then the next.
Result<KeyName> StreamKeys::current(StreamId stream) {
  const auto known = current_.find(stream);
  if (known != current_.end()) return KeyName{stream, known->second};
  KeyName name{stream, kFirstGeneration};
  bool usable = false;
  {
    WEIR_TRY(Query query,
             db_.query("SELECT generation, length(wrapped) FROM stream_keys WHERE stream = ?1 "
                       "ORDER BY generation DESC LIMIT 1",
                       stream.value));
    WEIR_TRY(const bool row, query.next());
    usable = row && query.integer(1) > 0;
    if (row) name.generation = static_cast<std::uint32_t>(query.integer(0)) + (usable ? 0 : 1);
  }
  if (!usable) WEIR_CHECK(make(name));
  current_[stream] = name.generation;
  return name;
}

Result<> StreamKeys::seal_event(Position position, const Envelope& envelope, std::string& into) {
  if (!ring_) {
    store::seal_event(position, envelope, into);
    return {};
  }
  WEIR_TRY(const KeyName name, current(position.stream));
  WEIR_TRY(XaesGcm * key, find(name));
  cipher_.clear();
  encrypt_event(*key, name, nonces_.next(), position, envelope, cipher_);
  Envelope encrypted = envelope;
  encrypted.form = Form::encrypted;
  encrypted.record = cipher_;
  store::seal_event(position, encrypted, into);
  return {};
}

Result<std::string> StreamKeys::seal(std::string_view table, StreamId stream,
                                     std::string_view bound, std::string_view payload) {
  if (!ring_) return store::seal(bound, payload);
  WEIR_TRY(const KeyName name, current(stream));
  WEIR_TRY(XaesGcm * key, find(name));
  return store::seal(bound, encrypt_row(*key, name, nonces_.next(), table, bound, payload),
                     Form::encrypted);
}

Result<Envelope> StreamKeys::open_event(Position position, std::string_view sealed) {
  WEIR_TRY(Envelope envelope, store::open_event(position, sealed));
  if (envelope.form == Form::plain) return envelope;
  WEIR_TRY(XaesGcm * key, find({position.stream, generation_of(envelope.record)}));
  WEIR_CHECK(decrypt_event(*key, position, envelope, plain_));
  envelope.record = plain_;
  envelope.form = Form::plain;
  return envelope;
}

Result<std::string_view> StreamKeys::unseal(std::string_view table, std::string_view bound,
                                            std::string_view sealed, std::string_view what) {
  if (form_of(sealed) == Form::plain) return store::unseal(bound, sealed, what);
  WEIR_TRY(const std::string_view record, store::unseal(bound, sealed, what, Form::encrypted));
  WEIR_TRY(XaesGcm * key, find(name_of_row(record)));
  WEIR_CHECK(decrypt_row(*key, table, bound, record, plain_));
  return std::string_view(plain_);
}

Result<std::string> StreamKeys::column(std::string_view text) {
  if (!ring_ || text.empty()) return std::string(text);
  if (!column_key_) {
    WEIR_TRY(const SecretKey key, read({kStoreKeys, kFirstGeneration}));
    column_key_ = derive(key, "weir columns");
  }
  return keyed_hash(*column_key_, text);
}

Result<> StreamKeys::wrap_anew(KeyName name) {
  WEIR_TRY(const SecretKey key, read(name));
  const auto masters = ring_->keys();
  return db_.run(
      "UPDATE stream_keys SET master = ?3, wrapped = ?4 WHERE stream = ?1 AND generation = ?2",
      name.stream.value, name.generation, masters->front().id,
      wrap(masters->front(), name.stream, name.generation, key));
}

Result<std::uint32_t> StreamKeys::rotate() {
  if (!ring_) return std::uint32_t{0};
  struct Row {
    KeyName name;
    bool usable = false;
  };
  std::vector<Row> rows;
  {
    WEIR_TRY(Query query, db_.query("SELECT stream, generation, length(wrapped) FROM stream_keys "
                                    "ORDER BY stream, generation"));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      rows.push_back({{StreamId{static_cast<std::uint32_t>(query.integer(0))},
                       static_cast<std::uint32_t>(query.integer(1))},
                      query.integer(2) > 0});
    }
  }
  std::map<StreamId, std::uint32_t> newest;
  std::uint32_t count = 0;
  for (const auto& [name, usable] : rows) {
    newest[name.stream] = name.generation;
    if (!usable) continue;
    WEIR_CHECK(erasing(db_, [&] { return wrap_anew(name); }));
    ++count;
  }
  for (const auto& [stream, generation] : newest) WEIR_CHECK(make({stream, generation + 1}));
  return count;
}

Result<std::uint32_t> StreamKeys::destroy(StreamId stream) {
  if (!ring_) return std::uint32_t{0};
  std::uint32_t count = 0;
  WEIR_CHECK(erasing(db_, [&] {
    Result<> done = db_.run(
        "UPDATE stream_keys SET wrapped = x'', master = x'' WHERE stream = ?1 AND length(wrapped) "
        "> "
        "0",
        stream.value);
    count = static_cast<std::uint32_t>(db_.changes());
    return done;
  }));
  forget();
  return count;
}

Result<> StreamKeys::ensure_store_key() {
  if (!ring_) return {};
  WEIR_TRY([[maybe_unused]] const KeyName name, current(kStoreKeys));
  return {};
}

Result<> StreamKeys::verify() {
  std::vector<KeyName> names;
  {
    WEIR_TRY(Query query,
             db_.query("SELECT stream, generation FROM stream_keys WHERE length(wrapped) > 0"));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) break;
      names.push_back({StreamId{static_cast<std::uint32_t>(query.integer(0))},
                       static_cast<std::uint32_t>(query.integer(1))});
    }
  }
  for (const KeyName& name : names) {
    WEIR_TRY([[maybe_unused]] const SecretKey key, read(name));
  }
  return {};
}

}  // namespace weir::store::sqlite
