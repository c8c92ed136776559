// SPDX-License-Identifier: Apache-2.0
// The classification table: error codes of AWS. A row's reason completes "<code> ...". The code
// goes before the HTTP status: a throttling code is throttling with 400 as with 503.
#include <array>

#include "policy/classify_rows.h"

namespace weir::policy {
namespace {

using enum FailureClass;

constexpr std::string_view kService = "AWS common errors";
constexpr std::string_view kLambda = "AWS Lambda, errors of invocations";

constexpr CodeRows aws{Protocol::aws, "AWS SDKs, retry behavior"};

constexpr ClassRow throttling(std::string_view rule) {
  return aws(rule, throttled, "R--L-", "asks us to slow down");
}

constexpr std::array kAwsRows = {
    throttling("aws.Throttling"),
    throttling("aws.ThrottlingException"),
    throttling("aws.ThrottledException"),
    throttling("aws.RequestThrottled"),
    throttling("aws.RequestThrottledException"),
    throttling("aws.TooManyRequestsException"),
    throttling("aws.ProvisionedThroughputExceededException"),
    throttling("aws.RequestLimitExceeded"),
    throttling("aws.BandwidthLimitExceeded"),
    throttling("aws.LimitExceededException"),
    throttling("aws.SlowDown"),
    throttling("aws.PriorRequestNotComplete"),
    throttling("aws.TransactionInProgressException"),
    throttling("aws.EC2ThrottledException"),

    // Answered with 400, before any work; classify_code adds the doubt of a 5xx.
    aws("aws.RequestTimeout", transient, "R-B--", "says that our request came too slowly"),
    aws("aws.RequestTimeoutException", transient, "R-B--", "says that our request came too slowly"),
    aws("aws.IDPCommunicationError", transient, "R-B--",
        "says that the identity provider did not answer"),
    aws("aws.InternalError", transient, "RIB-D", "is an error inside the service"),

    aws("aws.ValidationException", permanent, "-----",
        "is permanent: the service calls the request malformed", kService),
    aws("aws.ResourceNotFound*", permanent, "-----",
        "is permanent: what the event names is not there", kService),
    aws("aws.ConditionalCheckFailed*", permanent, "-----",
        "is permanent: the condition of the write does not hold", "Amazon DynamoDB, errors"),
    aws("aws.AccessDenied*", auth, "-----", "says that our credentials do not allow this",
        kService),
    // A refresh could help once; nothing refreshes credentials between two attempts.
    aws("aws.ExpiredToken*", auth, "-----", "says that our credentials have expired", kService),

    // X-Amz-Function-Error and errorType of an answer with 200.
    aws("aws.Handled", transient, "R-B--", "is an error that the function reported itself",
        kLambda),
    aws("aws.Unhandled", ambiguous, "RIB-D", "is an error that the function did not catch",
        kLambda),
    aws("aws.Sandbox.Timedout", ambiguous, "RIBLD", "says that the function ran out of time",
        kLambda),
    aws("aws.Runtime.*", ambiguous, "RIB-D", "says that the function crashed", kLambda),

    // Only if there is no failing HTTP status that says more.
    aws("aws.other", ambiguous, "RIB-D", "is a code of AWS without a rule"),
};

// "com.amazonaws.dynamodb#ThrottlingException:http://..." names ThrottlingException.
std::string_view bare(std::string_view code) {
  code = code.substr(0, code.find(':'));
  return code.substr(code.find('#') == code.npos ? 0 : code.find('#') + 1);
}

}  // namespace

std::span<const ClassRow> aws_rows() { return kAwsRows; }

const ClassRow& aws_row(std::string_view code) { return first_match(kAwsRows, bare(code)); }

}  // namespace weir::policy
