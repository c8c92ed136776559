// SPDX-License-Identifier: Apache-2.0
// The classification table: SQLSTATE codes, then classes. A row's reason completes "SQLSTATE
// <code> ...". Doubt is about COMMIT: a phase before maybeSeen says that none was under way, and
// clears it.
#include <array>

#include "policy/classify_rows.h"

namespace weir::policy {
namespace {

using enum FailureClass;

constexpr CodeRows sql{Protocol::sql, "PostgreSQL, appendix A"};

constexpr std::string_view kStandard = "ISO/IEC 9075-2, subclause 24.1";

constexpr std::array kSqlRows = {
    sql("sql.00*", ok, "-----", "is done", kStandard),
    sql("sql.01*", ok, "-----", "is done, with a warning", kStandard),
    sql("sql.02*", ok, "-----", "is done, and found nothing", kStandard),

    sql("sql.08001", transient, "R-B--", "says that no connection could be made"),
    sql("sql.08004", transient, "R-B--", "says that the server refused the connection"),
    sql("sql.08007", ambiguous, "RIB-D", "leaves open whether the transaction was committed"),
    // 08000, 08003, 08006, 08P01 and what else an implementation has.
    sql("sql.08*", transient, "RIB-D", "says that the connection broke"),

    sql("sql.0A*", permanent, "-----", "is permanent: not supported"),
    sql("sql.22*", permanent, "-----", "is permanent: the data does not fit"),
    // On the key of an effect ledger it means done: who owns the ledger looks at the name of the
    // constraint first, which no code tells.
    sql("sql.23505", conflict, "-----", "is a duplicate key"),
    sql("sql.23*", permanent, "-----", "is permanent: a constraint forbids it"),
    sql("sql.25006", conflict, "R----", "says that the server is read only; reconnect",
        "PostgreSQL, failover to a new primary"),
    sql("sql.26*", permanent, "-----", "is permanent: no such statement"),
    sql("sql.28*", auth, "-----", "says that our credentials are wrong"),

    sql("sql.40001", conflict, "R----",
        "is a serialization failure; the whole transaction may be tried again",
        "PostgreSQL, 13.5 serialization failure handling"),
    sql("sql.40P01", conflict, "R----", "is a deadlock; the whole transaction may be tried again",
        "PostgreSQL, 13.5 serialization failure handling"),
    sql("sql.40003", ambiguous, "RIB-D", "leaves open whether the statement was completed"),
    sql("sql.42*", permanent, "-----", "is permanent: the statement is wrong or not allowed"),
    // 53300, too many connections, is the one to wait for longest: throttledBaseInterval.
    sql("sql.53*", overloaded, "R-BL-", "says that the server is out of resources"),
    sql("sql.55P03", conflict, "R----", "says that a lock is held by somebody else"),

    sql("sql.57014", transient, "R-BL-", "says that the statement ran out of time; rolled back"),
    sql("sql.57P01", transient, "RIB-D", "says that the server is shutting down"),
    sql("sql.57P02", transient, "RIB-D", "says that the server crashed"),
    sql("sql.57P03", transient, "R-B--", "says that the server takes no connections now"),
    sql("sql.57P05", transient, "RIB-D", "says that the idle session was ended"),

    // Worth a single retry; how many there are is for retry.maxAttempts.
    sql("sql.58*", transient, "RIB-D", "is an error of the system below the server"),
    sql("sql.XX000", transient, "RIB-D", "is an error inside the server"),

    sql("sql.other", ambiguous, "RIB-D", "is a code of SQL without a rule", kStandard),
};

}  // namespace

std::span<const ClassRow> sql_rows() { return kSqlRows; }

const ClassRow& sql_row(std::string_view code) { return first_match(kSqlRows, code); }

}  // namespace weir::policy
