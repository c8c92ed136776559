// SPDX-License-Identifier: Apache-2.0
// The classification table: status codes of gRPC. A row's reason completes "<code> ...".
#include <array>
#include <charconv>

#include "policy/classify_rows.h"

namespace weir::policy {
namespace {

using enum FailureClass;

constexpr CodeRows grpc{Protocol::grpc, "gRPC core concepts, status codes"};

// In the order of their numbers, 0 to 16; then the default.
constexpr std::array kGrpcRows = {
    grpc("grpc.OK", ok, "-----", "is done"),
    grpc("grpc.CANCELLED", cancelled, "----D", "says that the call was cancelled on the way"),
    grpc("grpc.UNKNOWN", ambiguous, "RIB-D", "does not say what happened"),
    grpc("grpc.INVALID_ARGUMENT", permanent, "-----",
         "is permanent: the handler calls the request malformed"),
    grpc("grpc.DEADLINE_EXCEEDED", ambiguous, "RIBLD",
         "says that time ran out; the handler may still finish"),
    grpc("grpc.NOT_FOUND", permanent, "-----", "is permanent: what the event names is not there"),
    grpc("grpc.ALREADY_EXISTS", permanent, "-----",
         "is permanent: what the event creates is there already"),
    // Listed with the permanent codes, unlike HTTP 403: gRPC has UNAUTHENTICATED for credentials.
    grpc("grpc.PERMISSION_DENIED", permanent, "-----",
         "is permanent: the handler does not allow this"),
    grpc("grpc.RESOURCE_EXHAUSTED", throttled, "R--L-", "asks us to slow down",
         "gRPC core concepts, gRFC A6 (pushback)"),
    grpc("grpc.FAILED_PRECONDITION", permanent, "-----",
         "is permanent until somebody repairs the state"),
    grpc("grpc.ABORTED", conflict, "R----",
         "is a conflict with another call; the whole event may be tried again"),
    grpc("grpc.OUT_OF_RANGE", permanent, "-----", "is permanent: past the valid range"),
    grpc("grpc.UNIMPLEMENTED", permanent, "-----",
         "is permanent: the handler does not have this method"),
    grpc("grpc.INTERNAL", ambiguous, "RIB-D", "is an error inside the handler"),
    grpc("grpc.UNAVAILABLE", transient, "RIB-D", "says that the handler is not available",
         "gRPC core concepts, gRFC A6 (phases)"),
    grpc("grpc.DATA_LOSS", permanent, "--B-D",
         "says that the handler lost or corrupted data beyond repair"),
    grpc("grpc.UNAUTHENTICATED", auth, "-----", "says that our credentials are missing or wrong"),

    // "If the status code is unknown, it must be treated as UNKNOWN."
    grpc("grpc.other", ambiguous, "RIB-D", "is no code of gRPC, which means UNKNOWN",
         "gRPC over HTTP/2, Status"),
};
constexpr std::size_t kCodes = kGrpcRows.size() - 1;
static_assert(kCodes == 17);

}  // namespace

std::span<const ClassRow> grpc_rows() { return kGrpcRows; }

const ClassRow& grpc_row(std::string_view code) {
  std::size_t number = 0;
  const char* end = code.data() + code.size();
  const auto parsed = std::from_chars(code.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end)
    return kGrpcRows[number < kCodes ? number : kCodes];
  for (std::size_t i = 0; i < kCodes; ++i) {
    if (kGrpcRows[i].code == code) return kGrpcRows[i];
  }
  return kGrpcRows.back();
}

}  // namespace weir::policy
