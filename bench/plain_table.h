// SPDX-License-Identifier: Apache-2.0
// The limit of storage: one table in SQLite under exactly Weir's pragmas and checkpoint rule, and
// nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace weir::bench {

// Every call exits through fail() when SQLite refuses.
class PlainTable {
 public:
  explicit PlainTable(const std::string& folder);  // makes `plain.db` in an existing folder, anew
  ~PlainTable();

  // One transaction: rows first .. first + count - 1, each with these bytes.
  void insert(std::int64_t first, std::int64_t count, std::string_view bytes);
  void erase(std::int64_t first, std::int64_t count);

 private:
  struct Impl;
  void commit();
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::bench
