// SPDX-License-Identifier: Apache-2.0
// How the rows of the classification table are written and found; for policy/classify*.cc only.
#pragma once

#include <algorithm>

#include "policy/classify.h"

namespace weir::policy {

// Flags: R retryable, I only if idempotent, B failure for the breaker, L decrease for the limiter,
// D in doubt for a side effect without a key.
constexpr ClassRow with_flags(ClassRow row, std::string_view flags) {
  row.retryable = flags[0] == 'R';
  row.needs_idempotent = flags[1] == 'I';
  row.counts_breaker = flags[2] == 'B';
  row.counts_limiter = flags[3] == 'L';
  row.in_doubt = flags[4] == 'D';
  return row;
}

// Writes the rows of one protocol. A rule is "<protocol>.<code>"; a code that ends in * stands for
// all that begin like it.
struct CodeRows {
  Protocol protocol;
  std::string_view source;  // of a row that names no other

  constexpr ClassRow operator()(std::string_view rule, FailureClass failure, std::string_view flags,
                                std::string_view reason, std::string_view other_source = {}) const {
    return with_flags({.rule = rule,
                       .protocol = protocol,
                       .code = rule.substr(rule.find('.') + 1),
                       .failure = failure,
                       .reason = reason,
                       .source = other_source.empty() ? source : other_source},
                      flags);
  }
};

constexpr bool matches_code(const ClassRow& row, std::string_view code) {
  if (!row.code.ends_with('*')) return row.code == code;
  return code.starts_with(row.code.substr(0, row.code.size() - 1));
}

// The first row that matches; the last one takes what no other does.
inline const ClassRow& first_match(std::span<const ClassRow> rows, std::string_view code) {
  const auto others = rows.first(rows.size() - 1);
  const auto found = std::ranges::find_if(
      others, [code](const ClassRow& row) { return matches_code(row, code); });
  return found == others.end() ? rows.back() : *found;
}

// Total: the last row of each table takes what no other row does.
const ClassRow& status_row(int status, bool hinted, bool rate_limited);
const ClassRow& fault_row(Fault fault);
const ClassRow& grpc_row(std::string_view code);  // a name, or the number as digits
const ClassRow& aws_row(std::string_view code);
const ClassRow& sql_row(std::string_view code);

std::span<const ClassRow> http_rows();
std::span<const ClassRow> transport_rows();
std::span<const ClassRow> grpc_rows();
std::span<const ClassRow> aws_rows();
std::span<const ClassRow> sql_rows();

}  // namespace weir::policy
