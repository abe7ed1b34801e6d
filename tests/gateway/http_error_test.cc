// How failed calls look to REST clients: every row of the error table.
#include "gateway/http_error.h"

#include <algorithm>
#include <set>

#include "gateway/uuid.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

constexpr char kId[] = "0b8a3a52-54f1-4a55-9b0a-3ecb1a3f6a01";

RpcFailure FromService(absl::StatusCode code, std::string reason, std::string message) {
  RpcFailure rpc;
  rpc.code = code;
  rpc.from_service = true;
  rpc.reason = std::move(reason);
  rpc.message = std::move(message);
  rpc.error_id = kId;
  return rpc;
}

RpcFailure FromElsewhere(absl::StatusCode code) {
  RpcFailure rpc;
  rpc.code = code;
  rpc.message = "failed to connect to 10.0.0.7: secret detail";
  return rpc;
}

TEST_CASE("Each kind of failed call has its status, default word and fixed text") {
  struct Row {
    absl::StatusCode code;
    int status;
    const char* word;
    int retry_after_s;
  };
  const Row rows[] = {
      {absl::StatusCode::kInvalidArgument, 400, "invalid_argument", 0},
      {absl::StatusCode::kUnauthenticated, 401, "unauthenticated", 0},
      {absl::StatusCode::kPermissionDenied, 403, "permission_denied", 0},
      {absl::StatusCode::kNotFound, 404, "not_found", 0},
      {absl::StatusCode::kResourceExhausted, 429, "rate_limited", 1},
      {absl::StatusCode::kUnavailable, 503, "unavailable", 1},
      {absl::StatusCode::kCancelled, 503, "unavailable", 1},
      {absl::StatusCode::kDeadlineExceeded, 504, "deadline_exceeded", 0},
      {absl::StatusCode::kInternal, 500, "internal", 0},
      {absl::StatusCode::kDataLoss, 500, "internal", 0},
      {absl::StatusCode::kUnknown, 500, "internal", 0},
      {absl::StatusCode::kUnimplemented, 500, "internal", 0},
      {absl::StatusCode::kFailedPrecondition, 500, "internal", 0},
      {absl::StatusCode::kOutOfRange, 500, "internal", 0},
      {absl::StatusCode::kAborted, 500, "internal", 0},
      {absl::StatusCode::kAlreadyExists, 500, "internal", 0},
      {static_cast<absl::StatusCode>(99), 500, "internal", 0},
  };
  for (const Row& row : rows) {
    const Failure failure = FailureOfCall(FromElsewhere(row.code));
    INFO(absl::StatusCodeToString(row.code));
    CHECK(failure.status == row.status);
    CHECK(failure.code == row.word);
    CHECK(failure.retry_after_s == row.retry_after_s);
    CHECK(failure.message.find("secret") == std::string::npos);
    CHECK(IsUuid(failure.error_id));
  }
}

TEST_CASE("What the service says of a client's fault passes, with id, word and parameter") {
  RpcFailure rpc = FromService(absl::StatusCode::kInvalidArgument, "invalid_limit", "limit is odd");
  rpc.param = "limit";
  const Failure failure = FailureOfCall(rpc);
  CHECK(failure.status == 400);
  CHECK(failure.code == "invalid_limit");
  CHECK(failure.message == "limit is odd");
  CHECK(failure.param == "limit");
  CHECK(failure.error_id == kId);
}

TEST_CASE("Of our own faults only the id passes") {
  for (const auto code :
       {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss, absl::StatusCode::kUnknown}) {
    RpcFailure rpc = FromService(code, "broken_block", "block 7 of /var/lib is broken");
    rpc.param = "id";
    const Failure failure = FailureOfCall(rpc);
    CHECK(failure.status == 500);
    CHECK(failure.code == "internal");
    CHECK(failure.message == "internal error");
    CHECK(failure.param.empty());
    CHECK(failure.error_id == kId);
  }
}

TEST_CASE("A call that the service gave up is an unavailability") {
  const Failure failure =
      FailureOfCall(FromService(absl::StatusCode::kCancelled, "cancelled", "cancelled"));
  CHECK(failure.status == 503);
  CHECK(failure.code == "unavailable");
  CHECK(failure.retry_after_s == 1);
  CHECK(failure.error_id == kId);
}

TEST_CASE("Ids, words, parameters and waits pass only in their proper form") {
  RpcFailure rpc = FromService(absl::StatusCode::kResourceExhausted, "Bad Word\"", "slow down");
  rpc.param = "x\"y";
  rpc.error_id = "not-a-uuid";
  rpc.retry_after = "17";
  Failure failure = FailureOfCall(rpc);
  CHECK(failure.code == "rate_limited");
  CHECK(failure.param.empty());
  CHECK(IsUuid(failure.error_id));
  CHECK(failure.retry_after_s == 17);
  for (const char* wait : {"", "0", "-3", "soon", "99999999999999999999"}) {
    rpc.retry_after = wait;
    CHECK(FailureOfCall(rpc).retry_after_s == 1);
  }
}

TEST_CASE("A message is one line of printable ASCII of at most 256 bytes") {
  const Failure failure =
      FailureOfCall(FromService(absl::StatusCode::kNotFound, "not_found",
                                "a\r\nSet-Cookie: x\x7F\xC3\xA9" + std::string(300, 'z')));
  CHECK(failure.message.size() == 256);
  CHECK(failure.message.substr(0, 21) == "a??Set-Cookie: x???zz");
}

TEST_CASE("A failure is written with its headers and its body") {
  HttpAnswer answer;
  Failure failure(401, reason::kUnauthenticated, "say \"who\"");
  failure.error_id = kId;
  WriteFailure(failure, answer);
  CHECK(answer.status == 401);
  CHECK(answer.fields() ==
        "Content-Type: application/json; charset=utf-8\r\nx-error: say \"who\"\r\n"
        "x-error-id: 0b8a3a52-54f1-4a55-9b0a-3ecb1a3f6a01\r\nWWW-Authenticate: Bearer\r\n");
  CHECK(answer.body ==
        R"({"error":{"message":"say \"who\"","type":"WARNING","code":"unauthenticated",)"
        R"("error_id":"0b8a3a52-54f1-4a55-9b0a-3ecb1a3f6a01"}})");
}

TEST_CASE("The body says how grave a failure is, and which parameter is at fault") {
  const auto body = [](int status, const std::string& param) {
    HttpAnswer answer;
    Failure failure(status, "word", "text");
    failure.error_id = kId;
    failure.param = param;
    WriteFailure(failure, answer);
    return answer.body;
  };
  const std::string tail = std::string(R"(,"code":"word","error_id":")") + kId + "\"";
  CHECK(body(400, "limit") ==
        R"({"error":{"message":"text","type":"WARNING")" + tail + R"(,"param":"limit"}})");
  CHECK(body(500, "") == R"({"error":{"message":"text","type":"ERROR")" + tail + "}}");
  CHECK(body(503, "") == R"({"error":{"message":"text","type":"CRITICAL")" + tail + "}}");
  CHECK(body(504, "") == R"({"error":{"message":"text","type":"CRITICAL")" + tail + "}}");
}

TEST_CASE("Error ids are fresh UUIDs of version 4") {
  std::set<std::string> ids;
  for (int i = 0; i < 300; ++i) ids.insert(NewUuid());
  CHECK(ids.size() == 300);
  CHECK(std::all_of(ids.begin(), ids.end(), [](const std::string& id) { return IsUuid(id); }));
  for (const char* text :
       {"", "0b8a3a52-54f1-4a55-9b0a-3ecb1a3f6a0", "0B8A3A52-54F1-4A55-9B0A-3ECB1A3F6A01",
        "0b8a3a52-54f1-1a55-9b0a-3ecb1a3f6a01", "0b8a3a52-54f1-4a55-7b0a-3ecb1a3f6a01",
        "0b8a3a52054f1-4a55-9b0a-3ecb1a3f6a01"}) {
    INFO(text);
    CHECK_FALSE(IsUuid(text));
  }
}

TEST_CASE("A parameter fault found here is told as one") {
  const Failure failure = FailureOfParameter(PublicError(
      absl::StatusCode::kInvalidArgument, reason::kInvalidTypes, "types are odd", "types"));
  CHECK(failure.status == 400);
  CHECK(failure.code == "invalid_types");
  CHECK(failure.message == "types are odd");
  CHECK(failure.param == "types");
}

}  // namespace
}  // namespace relations::gateway
