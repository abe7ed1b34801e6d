#include "server/unary_call.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/call_metadata.h"
#include "server/grpc_status.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// What a caller is told who is refused because the server goes down: another may answer now.
constexpr int kGoingDownRetrySeconds = 1;

// W3C Trace Context, version 00: 55 characters; later versions may be longer.
constexpr size_t kTraceparentBytesMax = 128;

// One call on its way. Deletes itself when gRPC is done with it.
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(const CallEnvironment& environment, const UnaryMethod& method,
               grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
               grpc::ByteBuffer* answer)
      : environment_(environment),
        method_(method),
        context_(context),
        request_(request),
        answer_(answer),
        call_(context, environment.max_request),
        request_id_(RequestIdOf(*context)) {}

  void Start() {
    entered_ = environment_.gate->Enter();
    if (!entered_) {
      retry_after_s_ = kGoingDownRetrySeconds;
      Answer(PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable,
                         "the server is shutting down"));
      return;
    }
    OnWorker([this] { Identify(); });
  }

  // OnDone does little and blocks nobody, so gRPC may run it where the call ends, as it does for
  // its own reactors, and spares a call the way over another of its threads.
  bool InternalInlineable() override { return true; }

  void OnDone() override {
    CallGate* const gate = entered_ ? environment_.gate : nullptr;
    delete this;
    if (gate != nullptr) {
      gate->Leave();
    }
  }

 private:
  // Runs the next part of the call on a worker, or refuses the call at once.
  template <typename Part>
  void OnWorker(Part part) {
    if (environment_.workers->TryRun(std::move(part))) return;
    retry_after_s_ = environment_.workers->SecondsToCatchUp();
    Answer(PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable,
                       "the server is overloaded"));
  }

  // Nobody waits for a verdict that is not at hand: it brings the call back to a worker.
  void Identify() {
    if (const absl::Status alive = call_.CheckAlive(); !alive.ok()) return Answer(alive);
    const std::optional<absl::Status> identified = BeginIdentifyCall(
        environment_, *context_, &identity_,
        [this](absl::Status later) { OnWorker([this, later] { Answer(Run(later)); }); });
    if (identified.has_value()) Answer(Run(*identified));
  }

  absl::Status Run(const absl::Status& identified) {
    cause_ = std::move(identity_.cause);
    retry_after_s_ = identity_.retry_after_s;
    RETURN_IF_ERROR(identified);
    call_.set_principal(std::move(identity_.principal));
    RETURN_IF_ERROR(call_.CheckAlive());
    RETURN_IF_ERROR(CountCall());
    if (!HasAnyRole(call_.principal(), method_.roles)) {
      return PublicError(absl::StatusCode::kPermissionDenied, reason::kPermissionDenied,
                         "a required role is missing");
    }
    if (method_.writes && environment_.read_only) return ReadOnlyError();
    RETURN_IF_ERROR(method_.handle(call_, *request_, *answer_));
    // gRPC aborts the process on a buffer that was never filled.
    return answer_->Valid() ? absl::OkStatus() : absl::InternalError("a handler gave no answer");
  }

  // Against the caller's limit, which the answer's metadata tell.
  absl::Status CountCall() {
    if (environment_.rate_limits == nullptr) return absl::OkStatus();
    const auto answer = environment_.rate_limits->Count(call_.principal(), absl::Now());
    if (!answer.has_value()) return absl::OkStatus();
    context_->AddTrailingMetadata("ratelimit-limit", absl::StrCat(answer->limit));
    context_->AddTrailingMetadata("ratelimit-remaining", absl::StrCat(answer->remaining));
    context_->AddTrailingMetadata("ratelimit-reset", absl::StrCat(answer->reset_s));
    if (answer->granted) return absl::OkStatus();
    retry_after_s_ = answer->retry_after_s;
    return PublicError(absl::StatusCode::kResourceExhausted, reason::kRateLimited,
                       "too many requests");
  }

  // The last thing this object does of its own: gRPC may call OnDone before Finish returns.
  void Answer(const absl::Status& outcome) {
    if (outcome.ok()) {
      LogCall(LogLevel::kInfo, outcome, "OK", "", "");
      Measure("OK");
      Finish(grpc::Status::OK);
      return;
    }
    ClientError error = ClientErrorOf(outcome);
    error.retry_after_s = retry_after_s_;
    const std::string error_id = NewUuid();
    LogCall(error.reason == reason::kInternal ? LogLevel::kError : LogLevel::kInfo, outcome,
            absl::StatusCodeToString(outcome.code()), error.reason, error_id);
    Measure(absl::StatusCodeToString(error.code));
    answer_->Clear();
    Finish(ToGrpcStatus(error, error_id));
  }

  void Measure(absl::string_view code) {
    if (environment_.metrics == nullptr) return;
    environment_.metrics->Record(method_.name, code, absl::ToDoubleSeconds(call_.elapsed()),
                                 request_->Length(), code == "OK" ? answer_->Length() : 0);
  }

  void LogCall(LogLevel level, const absl::Status& outcome, absl::string_view code,
               absl::string_view reason, absl::string_view error_id) {
    const CallNotes& notes = call_.notes();
    const int64_t slow_ms =
        environment_.slow_call_ms == nullptr ? 0 : environment_.slow_call_ms->load();
    const bool slow = slow_ms > 0 && absl::ToInt64Milliseconds(call_.elapsed()) >= slow_ms;
    Log(slow ? std::max(level, LogLevel::kWarning) : level, slow ? "slow request" : "request",
        {{"method", method_.name},
         {"request_id", request_id_},
         {"traceparent", PlainHeader(*context_, "traceparent", kTraceparentBytesMax)},
         {"user_id", call_.principal().user_id},
         {"credential_id", call_.principal().credential_id},
         {"subject", notes.subject},
         {"limit", notes.limit},
         {"levels", notes.levels},
         {"nodes", notes.nodes},
         {"relations", notes.relations},
         {"stop_reason", notes.stop_reason},
         {"status", code},
         {"reason", reason},
         {"error_id", error_id},
         {"error", cause_.empty() ? outcome.message() : absl::string_view(cause_)},
         {"ms", absl::ToDoubleMilliseconds(call_.elapsed())}});
  }

  const CallEnvironment& environment_;
  const UnaryMethod& method_;
  grpc::CallbackServerContext* context_;
  const grpc::ByteBuffer* request_;
  grpc::ByteBuffer* answer_;
  Call call_;
  std::string request_id_;
  CallIdentity identity_;
  // What the log knows better than the client; empty where the status says it.
  std::string cause_;
  // Of a refusal for a limit or for overload.
  int retry_after_s_ = 0;
  bool entered_ = false;
};

}  // namespace

Call::Call(const grpc::CallbackServerContext* context, absl::Duration max_request)
    : context_(context) {
  // Taken over to the steady clock once: a step of the wall clock moves no deadline.
  const auto remaining = context->deadline() - std::chrono::system_clock::now();
  deadline_ =
      arrived_ + std::min<Clock::duration>(remaining, absl::ToChronoNanoseconds(max_request));
}

absl::Status Call::CheckAlive() const {
  // The deadline first: gRPC also cancels a call whose deadline has passed.
  if (Clock::now() >= deadline_) {
    return PublicError(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
                       "deadline exceeded");
  }
  if (context_->IsCancelled()) {
    return absl::CancelledError("the client left");
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ServeUnary(const CallEnvironment& environment, const UnaryMethod& method,
                                     grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* answer) {
  // gRPC's reactors own themselves: OnDone deletes.
  auto* const reactor = new UnaryReactor(environment, method, context, request, answer);
  reactor->Start();
  return reactor;
}

std::string RequestIdOf(const grpc::CallbackServerContext& context) {
  std::string id = PlainHeader(context, "x-request-id", limits::kRequestIdBytesMax);
  return id.empty() ? NewUuid() : id;
}

absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  // A copy of the references, not of the bytes: the reader takes a buffer that it may change.
  grpc::ByteBuffer readable(bytes);
  grpc::ProtoBufferReader reader(&readable);
  if (!reader.status().ok() || !request.ParseFromZeroCopyStream(&reader)) {
    return PublicError(absl::StatusCode::kInvalidArgument, reason::kMalformedRequest,
                       "the request is not a message of this method");
  }
  return absl::OkStatus();
}

absl::StatusOr<grpc::ByteBuffer> SerialiseAnswer(const google::protobuf::Message& answer) {
  const size_t size = answer.ByteSizeLong();
  if (size > static_cast<size_t>(limits::kAnswerBytesMax)) {
    return absl::InternalError(absl::StrCat("an answer of ", size, " bytes passes the limit of ",
                                            limits::kAnswerBytesMax));
  }
  const grpc::Slice slice(answer.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace relations
