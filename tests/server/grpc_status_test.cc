#include "server/grpc_status.h"

#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "storage/base/public_error.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kErrorId[] = "11111111-2222-4333-8444-555555555555";

TEST_CASE("an error made for clients travels with its reason, parameter and error id") {
  const absl::Status error = PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidLimit,
                                         "limit must be a positive integer", "limit");
  const grpc::Status status = ToGrpcStatus(ClientErrorOf(error), kErrorId);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(status.error_message() == "limit must be a positive integer");

  google::rpc::Status details;
  REQUIRE(details.ParseFromString(status.error_details()));
  CHECK(details.code() == 3);
  CHECK(details.message() == status.error_message());
  REQUIRE(details.details_size() == 1);
  CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  REQUIRE(details.details(0).UnpackTo(&info));
  CHECK(info.reason() == "invalid_limit");
  CHECK(info.domain() == "relations.v1");
  REQUIRE(info.metadata().size() == 2);
  CHECK(info.metadata().at("error_id") == kErrorId);
  CHECK(info.metadata().at("param") == "limit");
}

TEST_CASE("an error without a parameter has none in its details") {
  const absl::Status error =
      PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such entity");
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(ToGrpcStatus(ClientErrorOf(error), kErrorId).error_details()));
  google::rpc::ErrorInfo info;
  REQUIRE(details.details(0).UnpackTo(&info));
  CHECK(info.metadata().size() == 1);
}

TEST_CASE("what is not made for clients keeps its message, whatever its code") {
  struct Row {
    absl::Status error;
    absl::StatusCode code;
    std::string reason;
  };
  const std::string secret = "block 7 of /var/lib/relations/000012.sst";
  const std::vector<Row> rows = {
      {absl::InternalError(secret), absl::StatusCode::kInternal, "internal"},
      {absl::DataLossError(secret), absl::StatusCode::kDataLoss, "internal"},
      {absl::UnknownError(secret), absl::StatusCode::kUnknown, "internal"},
      {absl::NotFoundError(secret), absl::StatusCode::kInternal, "internal"},
      {absl::InvalidArgumentError(secret), absl::StatusCode::kInternal, "internal"},
      {absl::FailedPreconditionError(secret), absl::StatusCode::kInternal, "internal"},
      {absl::UnavailableError(secret), absl::StatusCode::kUnavailable, "unavailable"},
      {absl::DeadlineExceededError(secret), absl::StatusCode::kDeadlineExceeded,
       "deadline_exceeded"},
      {absl::CancelledError(secret), absl::StatusCode::kCancelled, "cancelled"},
      {PublicError(absl::StatusCode::kDataLoss, reason::kNotFound, secret, "id"),
       absl::StatusCode::kDataLoss, "internal"}};
  for (const Row& row : rows) {
    CAPTURE(row.error.ToString());
    const ClientError error = ClientErrorOf(row.error);
    CHECK(error.code == row.code);
    CHECK(error.reason == row.reason);
    CHECK(error.param.empty());
    const grpc::Status status = ToGrpcStatus(error, kErrorId);
    CHECK(status.error_message().find("sst") == std::string::npos);
    CHECK(status.error_details().find("sst") == std::string::npos);
    CHECK_FALSE(status.ok());
  }
}

}  // namespace
}  // namespace relations
