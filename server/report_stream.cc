#include "server/report_stream.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/server_context.h"
#include "relations/v1/ingest.pb.h"
#include "server/grpc_status.h"
#include "server/ingest_reporting.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Clock = std::chrono::steady_clock;

// Credentials are looked at again when they were last found good this long ago.
constexpr std::chrono::seconds kCredentialsTrusted{1};
// Refusals of one answer; the next answer has the others.
constexpr size_t kRefusalsPerAnswerMax = 256;

class ReportStream final : public ReportReactor {
 public:
  ReportStream(const CallEnvironment& environment, const ReportStreamBackends& backends,
               const std::vector<std::string>& roles, const grpc::CallbackServerContext* context)
      : environment_(environment),
        backends_(backends),
        roles_(roles),
        context_(context),
        request_id_(RequestIdOf(*context)) {}

  void Start() {
    entered_ = environment_.gate->Enter();
    // Before the mutex: whoever ends all streams takes the two the other way round.
    const bool added = entered_ && backends_.streams->Add(this, [this] { Drain(); });
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    if (added) {
      busy_ = true;
      Run([this] { Authenticate(); });
    } else {
      End(Unavailable(entered_ ? "too many streams are open" : "the server is shutting down"));
    }
    Step();
  }

  void OnReadDone(bool ok) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    reading_ = false;
    if (!ok || finished_) {
      // The client has said all, or has left.
      End(absl::OkStatus());
    } else if (Clock::now() - authenticated_ > kCredentialsTrusted) {
      busy_ = true;
      Run([this] { AuthenticateAgain(); });
    } else {
      Take();
    }
    Step();
  }

  void OnWriteDone(bool ok) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    writing_ = false;
    if (!ok) client_left_ = true;
    Step();
  }

  void OnDone() override {
    backends_.streams->Remove(this);
    CallGate* const gate = entered_ ? environment_.gate : nullptr;
    delete this;
    if (gate != nullptr) gate->Leave();
  }

 private:
  // A request that is not answered yet.
  struct Pending {
    uint64_t sequence = 0;
    size_t bytes = 0;
    bool judged = false;
    absl::Status status;
  };

  static absl::Status Unavailable(absl::string_view message) {
    return PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable, message);
  }

  // --- On a worker: what may block.

  void Run(std::function<void()> task) {
    if (environment_.workers->TryRun(std::move(task))) return;
    busy_ = false;
    End(Unavailable("the server is overloaded"));
  }

  absl::Status Identify() {
    CallIdentity identity;
    const absl::Status identified = IdentifyCall(environment_, *context_, &identity);
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    cause_ = std::move(identity.cause);
    RETURN_IF_ERROR(identified);
    principal_ = std::move(identity.principal);
    authenticated_ = Clock::now();
    if (HasAnyRole(principal_, roles_)) return absl::OkStatus();
    return PublicError(absl::StatusCode::kPermissionDenied, reason::kPermissionDenied,
                       "a required role is missing");
  }

  void Authenticate() {
    const absl::Status identified = Identify();
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    busy_ = false;
    if (!identified.ok()) End(identified);
    Step();
  }

  void AuthenticateAgain() {
    const absl::Status identified = Identify();
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    busy_ = false;
    if (identified.ok()) {
      Take();
    } else {
      End(identified);
    }
    Step();
  }

  // --- REQUIRES, as all below: mutex_ is held.

  // Takes in the request that was read.
  void Take() {
    v1::ReportStreamRequest request;
    const size_t bytes = message_.Length();
    if (const absl::Status parsed = ParseRequest(message_, request); !parsed.ok()) {
      End(parsed);
      return;
    }
    if (request.sequence() <= last_sequence_) {
      End(PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                      "sequence must be larger than that of the request before", "sequence"));
      return;
    }
    last_sequence_ = request.sequence();
    pending_.push_back({request.sequence(), bytes, false, absl::OkStatus()});
    pending_bytes_ += bytes;
    absl::StatusOr<Mutations> mutations = ReadReports(principal_, request.reports());
    if (!mutations.ok()) {
      Judge(pending_.back(), mutations.status());
      return;
    }
    WriteQueue::Done done = [this, sequence = request.sequence()](const absl::Status& status) {
      OnWritten(sequence, status);
    };
    if (!backends_.queue->TrySubmit(*mutations, QueuedBytes(bytes), done)) {
      Judge(pending_.back(), Unavailable("too many reports wait to be written, try again"));
    }
  }

  static void Judge(Pending& pending, const absl::Status& status) {
    pending.judged = true;
    pending.status = status;
  }

  // On the queue's thread, without the mutex.
  void OnWritten(uint64_t sequence, const absl::Status& status) {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    const auto pending =
        std::lower_bound(pending_.begin(), pending_.end(), sequence,
                         [](const Pending& a, uint64_t number) { return a.sequence < number; });
    Judge(*pending, status);
    Step();
  }

  // Without the mutex.
  void Drain() {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    End(Unavailable("the server is shutting down"));
    Step();
  }

  // No more is taken in. The first end counts.
  void End(const absl::Status& status) {
    if (ending_) return;
    ending_ = true;
    end_ = status;
  }

  // Does whatever can be done next; the last thing that its caller does but unlock.
  void Step() {
    if (finished_) return;
    if (!writing_) AnswerJudged();
    if (ending_ && !busy_ && !writing_ && pending_.empty()) {
      finished_ = true;
      FinishCall();
      return;
    }
    const bool full =
        pending_.size() >= limits::kStreamRequestsMax || pending_bytes_ >= limits::kStreamBytesMax;
    if (full || ending_ || busy_ || reading_) return;
    reading_ = true;
    StartRead(&message_);
  }

  // Tells the client of all at the front of the queue that are judged.
  void AnswerJudged() {
    v1::ReportStreamResponse response;
    while (!pending_.empty() && pending_.front().judged &&
           static_cast<size_t>(response.refusals_size()) < kRefusalsPerAnswerMax) {
      const Pending& first = pending_.front();
      response.set_acknowledged(first.sequence);
      ++answered_;
      if (!first.status.ok()) AddRefusal(first, response);
      pending_bytes_ -= first.bytes;
      pending_.pop_front();
    }
    if (response.acknowledged() == 0 || client_left_) return;
    const grpc::Slice slice(response.SerializeAsString());
    answer_ = grpc::ByteBuffer(&slice, 1);
    writing_ = true;
    StartWrite(&answer_);
  }

  void AddRefusal(const Pending& pending, v1::ReportStreamResponse& response) {
    ++refused_;
    const ClientError error = ClientErrorOf(pending.status);
    v1::Refusal& refusal = *response.add_refusals();
    refusal.set_sequence(pending.sequence);
    refusal.set_code(static_cast<int>(error.code));
    refusal.set_message(error.message);
    refusal.set_reason(error.reason);
    refusal.set_param(error.param);
    refusal.set_error_id(NewUuid());
    if (error.reason != reason::kInternal) return;
    LogError("report failed", {{"request_id", request_id_},
                               {"error_id", refusal.error_id()},
                               {"error", pending.status.ToString()}});
  }

  void FinishCall() {
    const std::string error_id = end_.ok() ? std::string() : NewUuid();
    const ClientError error = end_.ok() ? ClientError() : ClientErrorOf(end_);
    Log(error.reason == reason::kInternal ? LogLevel::kError : LogLevel::kInfo, "request",
        {{"method", "ReportStream"},
         {"request_id", request_id_},
         {"user_id", principal_.user_id},
         {"credential_id", principal_.credential_id},
         {"answered", answered_},
         {"refused", refused_},
         {"status", absl::StatusCodeToString(end_.code())},
         {"reason", error.reason},
         {"error_id", error_id},
         {"error", cause_.empty() ? end_.message() : absl::string_view(cause_)},
         {"ms", std::chrono::duration<double, std::milli>(Clock::now() - arrived_).count()}});
    // gRPC may call OnDone on another thread before Finish returns.
    Finish(end_.ok() ? grpc::Status::OK : ToGrpcStatus(error, error_id));
  }

  const CallEnvironment& environment_;
  const ReportStreamBackends& backends_;
  const std::vector<std::string>& roles_;
  const grpc::CallbackServerContext* const context_;
  const std::string request_id_;
  const Clock::time_point arrived_ = Clock::now();
  bool entered_ = false;

  // Outlives this object while it is held.
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
  // State below is guarded by mutex_.
  Principal principal_;
  std::string cause_;
  Clock::time_point authenticated_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  uint64_t last_sequence_ = 0;
  // In the order of their sequence numbers.
  std::deque<Pending> pending_;
  size_t pending_bytes_ = 0;
  uint64_t answered_ = 0;
  uint64_t refused_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  // A worker has the stream.
  bool busy_ = false;
  bool client_left_ = false;
  bool ending_ = false;
  absl::Status end_;
  bool finished_ = false;
};

}  // namespace

bool OpenStreams::Add(const void* stream, EndStream end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || open_.size() >= limits::kStreamsMax) return false;
  open_.emplace_back(stream, std::move(end));
  return true;
}

void OpenStreams::Remove(const void* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(std::remove_if(open_.begin(), open_.end(),
                             [stream](const auto& open) { return open.first == stream; }),
              open_.end());
}

void OpenStreams::EndAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  for (const auto& [stream, end] : open_) end();
}

ReportReactor* ServeReportStream(const CallEnvironment& environment,
                                 const ReportStreamBackends& backends,
                                 const std::vector<std::string>& roles,
                                 grpc::CallbackServerContext* context) {
  // gRPC's reactors own themselves: OnDone deletes.
  auto* const reactor = new ReportStream(environment, backends, roles, context);
  reactor->Start();
  return reactor;
}

}  // namespace relations
