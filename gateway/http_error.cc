#include "gateway/http_error.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "gateway/uuid.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"

namespace relations::gateway {
namespace {

constexpr size_t kWordBytesMax = 64;
constexpr int kRetryAfterSecondsMin = 1;
constexpr int kRetryAfterSecondsMax = 3600;

std::string OneLine(absl::string_view text) {
  std::string line(text.substr(0, limits::kErrorMessageBytesMax));
  for (char& c : line) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return line;
}

// A word as this API uses them for codes and parameters.
bool IsWord(absl::string_view text) {
  return !text.empty() && text.size() <= kWordBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '_';
         });
}

// The name of a parameter or of a member of a body: of letters too.
bool IsParam(absl::string_view text) {
  return !text.empty() && text.size() <= kWordBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return absl::ascii_isalnum(byte) || c == '_';
         });
}

// What a kind of failed call is to a client, and what it says where the service said nothing.
struct Kind {
  int status;
  const char* code;
  const char* message;
};

Kind KindOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return {400, reason::kInvalidArgument, "the request is not valid"};
    case absl::StatusCode::kUnauthenticated:
      return {401, reason::kUnauthenticated, "valid credentials are needed"};
    case absl::StatusCode::kPermissionDenied:
      return {403, reason::kPermissionDenied, "the credentials do not allow this"};
    case absl::StatusCode::kNotFound:
      return {404, reason::kNotFound, "no such entity"};
    case absl::StatusCode::kResourceExhausted:
      return {429, reason::kRateLimited, "too many requests"};
    case absl::StatusCode::kUnavailable:
    // The client is still there, so it was the backend that gave up the call: it is going down.
    case absl::StatusCode::kCancelled:
      return {503, reason::kUnavailable, "the service is unavailable, try again"};
    case absl::StatusCode::kDeadlineExceeded:
      return {504, reason::kDeadlineExceeded, "the answer took too long"};
    default:
      return {500, reason::kInternal, "internal error"};
  }
}

const char* SeverityOf(int status) {
  return status < 500 ? "WARNING" : status == 500 ? "ERROR" : "CRITICAL";
}

}  // namespace

Failure::Failure(int http_status, absl::string_view code_word, absl::string_view text)
    : status(http_status),
      code(code_word),
      message(OneLine(text)),
      error_id(NewUuid()),
      retry_after_s(http_status == 429 || http_status == 503 ? kRetryAfterSecondsMin : 0) {}

Failure FailureOfCall(const RpcFailure& rpc) {
  const Kind kind = KindOf(rpc.code);
  // A cancellation is told as the unavailability that it is.
  const bool tell =
      rpc.from_service && kind.status != 500 && rpc.code != absl::StatusCode::kCancelled;
  Failure failure(kind.status, tell && IsWord(rpc.reason) ? rpc.reason : kind.code,
                  tell && !rpc.message.empty() ? rpc.message : kind.message);
  if (tell && IsParam(rpc.param)) {
    failure.param = rpc.param;
  }
  if (rpc.from_service && IsUuid(rpc.error_id)) {
    failure.error_id = rpc.error_id;
  }
  int seconds = 0;
  if (failure.retry_after_s > 0 && absl::SimpleAtoi(rpc.retry_after, &seconds)) {
    failure.retry_after_s = std::clamp(seconds, kRetryAfterSecondsMin, kRetryAfterSecondsMax);
  }
  return failure;
}

Failure FailureOfParameter(const absl::Status& invalid_argument) {
  const std::string message(invalid_argument.message());
  Failure failure(400, ReasonOf(invalid_argument), message);
  failure.param = ParamOf(invalid_argument);
  return failure;
}

void WriteFailure(const Failure& failure, HttpAnswer& answer) {
  answer.status = failure.status;
  answer.error_id = failure.error_id;
  answer.AddField("Content-Type", "application/json; charset=utf-8");
  answer.AddField("x-error", failure.message);
  answer.AddField("x-error-id", failure.error_id);
  if (failure.status == 401) {
    answer.AddField("WWW-Authenticate", "Bearer");
  }
  if (failure.retry_after_s > 0) {
    answer.AddField("Retry-After", absl::StrCat(failure.retry_after_s));
  }
  std::string& body = answer.body;
  body = "{\"error\":{\"message\":";
  AppendString(failure.message, body);
  absl::StrAppend(&body, ",\"type\":\"", SeverityOf(failure.status), "\",\"code\":\"", failure.code,
                  "\",\"error_id\":\"", failure.error_id, "\"");
  if (!failure.param.empty()) {
    absl::StrAppend(&body, ",\"param\":\"", failure.param, "\"");
  }
  body += "}}";
}

}  // namespace relations::gateway
