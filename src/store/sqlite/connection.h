// SPDX-License-Identifier: Apache-2.0
// One SQLite connection and its prepared statements. A connection belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weir::store::sqlite {

// A statement in use: its parameters are bound; it is reset when this goes out of scope.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  ~Query();
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;

  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view bytes);  // copied
  void bind_in_place(int parameter,
                     std::string_view bytes);  // must live until the statement is bound anew

  // Moves to the next row; false after the last one.
  Result<bool> next();
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;  // valid until next()
  bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

enum class Access : std::uint8_t { create, write, read };

class Connection {
 public:
  // `vfs` empty = the system's. Code::store_unreadable, store_corrupt.
  static Result<Connection> open(const std::string& path, const std::string& vfs, Access access);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // Runs SQL text without parameters: pragmas, schema, begin, commit.
  Result<> execute(const char* sql);
  // The statement of a string literal, prepared at its first use, with these parameters (integers
  // or bytes).
  template <class... Values>
  Result<Query> query(const char* sql, const Values&... values) {
    WEIR_TRY(Query query, prepared(sql));
    int parameter = 0;
    (bind_one<false>(query, ++parameter, values), ...);
    return query;
  }
  // For statements that give no rows. Bytes are not copied: SQLite reads them before this returns.
  template <class... Values>
  Result<> run(const char* sql, const Values&... values) {
    WEIR_TRY(Query query, prepared(sql));
    int parameter = 0;
    (bind_one<true>(query, ++parameter, values), ...);
    WEIR_TRY([[maybe_unused]] const bool row, query.next());
    return {};
  }
  // The first column of the first row; `otherwise` without a row.
  template <class... Values>
  Result<std::int64_t> integer(const char* sql, std::int64_t otherwise, const Values&... values) {
    WEIR_TRY(Query found, query(sql, values...));
    WEIR_TRY(const bool row, found.next());
    return row ? found.integer(0) : otherwise;
  }
  // A statement whose text is made at run time: prepared anew each time.
  Result<std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)>> prepare(const std::string& sql);

  // Whether to wait, for seconds, while another connection is in the way; as opened, it does.
  void set_patient(bool patient);
  std::int64_t changes() const;
  bool in_transaction() const;
  sqlite3* handle() const { return db_; }

 private:
  explicit Connection(sqlite3* db) : db_(db) {}
  Result<Query> prepared(const char* sql);
  template <bool InPlace, class Value>
  static void bind_one(Query& query, int parameter, const Value& value) {
    if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
      query.bind(parameter, static_cast<std::int64_t>(value));
    } else if constexpr (InPlace) {
      query.bind_in_place(parameter, value);
    } else {
      query.bind(parameter, std::string_view(value));
    }
  }

  sqlite3* db_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

// The present error of a connection. store_full, store_corrupt or store_failed, with SQLite's
// words.
Error error_of(sqlite3* db);

}  // namespace weir::store::sqlite
