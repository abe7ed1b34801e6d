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
#include "server/stream_call.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Clock = std::chrono::steady_clock;

// Refusals of one answer; the next answer has the others.
constexpr size_t kRefusalsPerAnswerMax = 256;

class ReportStream final : public ReportReactor, public OpenStream {
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
    const bool added = entered_ && backends_.streams->Add(this);
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    if (added) {
      busy_ = true;
      Run([this] { Authenticate(); });
    } else {
      End(StreamUnavailable(entered_ ? "too many streams are open"
                                     : "the server is shutting down"));
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
    } else {
      taken_ = false;
      TakeIfAllowed();
    }
    Step();
  }

  void OnLook(Look /*look*/) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    if (finished_ || ending_ || busy_) return;
    if (!taken_) {
      TakeIfAllowed();
    } else if (!IsTrusted()) {
      // At the next look, when all workers are busy.
      busy_ = environment_.workers->TryRun([this] { AuthenticateAgain(); });
    }
    Step();
  }

  void OnDrain() override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    End(StreamUnavailable("the server is shutting down"));
    Step();
  }

  void OnWriteDone(bool ok) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    writing_ = false;
    if (!ok) client_left_ = true;
    Step();
  }

  // Also while the stream waits for its caller's rate and so reads nothing.
  void OnCancel() override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    client_left_ = true;
    End(absl::CancelledError("the client left"));
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

  // --- On a worker: what may block.

  void Run(std::function<void()> task) {
    if (environment_.workers->TryRun(std::move(task))) return;
    busy_ = false;
    End(StreamUnavailable("the server is overloaded"));
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
    if (!HasAnyRole(principal_, roles_)) return RoleMissing();
    return environment_.read_only ? ReadOnlyError() : absl::OkStatus();
  }

  void Authenticate() {
    absl::Status identified = Identify();
    if (identified.ok() && !CountCall()) identified = TooManyCalls();
    if (identified.ok() && !backends_.streams->Claim(this, OwnerOf(principal_))) {
      identified = StreamUnavailable("too many streams of this caller are open");
    }
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
    if (!identified.ok()) {
      End(identified);
    } else if (!taken_) {
      TakeIfAllowed();
    }
    Step();
  }

  // Against the caller's rate.
  bool CountCall() {
    if (environment_.rate_limits == nullptr) return true;
    const auto answer = environment_.rate_limits->Count(principal_, absl::Now());
    return !answer.has_value() || answer->granted;
  }

  // --- REQUIRES, as all below: mutex_ is held.

  bool IsTrusted() const { return Clock::now() - authenticated_ <= kCredentialsTrusted; }

  // Takes in the request that was read, unless it has to wait: for a look at the credentials, or
  // for the caller's rate.
  void TakeIfAllowed() {
    if (ending_ || busy_) return;
    if (!IsTrusted()) {
      busy_ = true;
      Run([this] { AuthenticateAgain(); });
    } else if (CountCall()) {
      Take();
    } else {
      // To be looked at soon, as long as it waits.
      backends_.streams->Wake();
    }
  }

  void Take() {
    taken_ = true;
    bytes_received_ += message_.Length();
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
      Judge(pending_.back(), StreamUnavailable("too many reports wait to be written, try again"));
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
    if (full || ending_ || busy_ || reading_ || !taken_) return;
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
      if (backends_.answered != nullptr) ++*backends_.answered;
      if (!first.status.ok()) AddRefusal(first, response);
      pending_bytes_ -= first.bytes;
      pending_.pop_front();
    }
    if (response.acknowledged() == 0 || client_left_) return;
    const grpc::Slice slice(response.SerializeAsString());
    answer_ = grpc::ByteBuffer(&slice, 1);
    bytes_sent_ += answer_.Length();
    ++answers_;
    writing_ = true;
    StartWrite(&answer_);
  }

  void AddRefusal(const Pending& pending, v1::ReportStreamResponse& response) {
    ++refused_;
    if (backends_.refused != nullptr) ++*backends_.refused;
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
    // gRPC may call OnDone on another thread before Finish returns.
    Finish(EndOfStream(environment_,
                       {.method = "ReportStream",
                        .request_id = request_id_,
                        .user_id = principal_.user_id,
                        .credential_id = principal_.credential_id,
                        .cause = cause_,
                        .messages = answers_,
                        .items = answered_,
                        .refused = refused_,
                        .bytes_received = bytes_received_,
                        .bytes_sent = bytes_sent_,
                        .arrived = arrived_},
                       end_));
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
  uint64_t answers_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  // What was read last is taken in; there is no other before.
  bool taken_ = true;
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
