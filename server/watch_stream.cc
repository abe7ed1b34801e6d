#include "server/watch_stream.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "grpcpp/server_context.h"
#include "relations/v1/ingest.pb.h"
#include "server/feed_token.h"
#include "server/grpc_status.h"
#include "server/stream_call.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Clock = std::chrono::steady_clock;

uint64_t ChangesIn(const v1::WatchResponse& page) {
  return static_cast<uint64_t>(page.gone_entities_size()) +
         static_cast<uint64_t>(page.gone_relations_size()) +
         static_cast<uint64_t>(page.entities_size()) + static_cast<uint64_t>(page.relations_size());
}

class WatchStream final : public WatchReactor, public OpenStream {
 public:
  WatchStream(const CallEnvironment& environment, const WatchBackends& backends,
              const std::vector<std::string>& roles, grpc::CallbackServerContext* context,
              const grpc::ByteBuffer* request)
      : environment_(environment),
        backends_(backends),
        roles_(roles),
        context_(context),
        request_(request),
        request_id_(RequestIdOf(*context)) {}

  void Start() {
    entered_ = environment_.gate->Enter();
    // Before the mutex: whoever looks at all streams takes the two the other way round.
    const bool added = entered_ && backends_.streams->Add(this);
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    if (added) {
      busy_ = environment_.workers->TryRun([this] { Open(); });
      if (!busy_) End(StreamUnavailable("the server is overloaded"));
    } else {
      End(StreamUnavailable(entered_ ? "too many streams are open"
                                     : "the server is shutting down"));
    }
    Step();
  }

  void OnWriteDone(bool ok) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    writing_ = false;
    if (!ok) End(absl::CancelledError("the client left"));
    Step();
  }

  void OnCancel() override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    End(absl::CancelledError("the client left"));
    Step();
  }

  void OnDone() override {
    backends_.streams->Remove(this);
    CallGate* const gate = entered_ ? environment_.gate : nullptr;
    delete this;
    if (gate != nullptr) gate->Leave();
  }

  void OnLook(Look look) override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    const auto now = Clock::now();
    if (look == Look::kSomethingNew) more_ = true;
    if (now - sent_ >= absl::ToChronoNanoseconds(backends_.heartbeat)) more_ = true;
    if (writing_ && now - sent_ >= absl::ToChronoNanoseconds(backends_.patience)) {
      // Its end cannot be told to who takes nothing.
      End(absl::CancelledError("the client takes no messages"));
      context_->TryCancel();
    }
    const bool trusted = now - authenticated_ < kCredentialsTrusted;
    if (!busy_ && !ending_ && !trusted) {
      busy_ = environment_.workers->TryRun([this] { Check(); });
    }
    Step();
  }

  void OnDrain() override {
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    End(StreamUnavailable("the server is shutting down"));
    Step();
  }

 private:
  // --- On a worker, with busy_ set: what may block.

  void Open() {
    const absl::Status opened = OpenFeed();
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    busy_ = false;
    more_ = true;
    if (!opened.ok()) End(opened);
    Step();
  }

  absl::Status OpenFeed() {
    RETURN_IF_ERROR(Identify());
    if (environment_.rate_limits != nullptr) {
      const auto answer = environment_.rate_limits->Count(principal_, absl::Now());
      if (answer.has_value() && !answer->granted) return TooManyCalls();
    }
    if (!HasAnyRole(principal_, roles_)) return RoleMissing();
    if (!backends_.streams->Claim(this, OwnerOf(principal_))) {
      return PublicError(absl::StatusCode::kResourceExhausted, reason::kRateLimited,
                         "too many streams of this caller are open");
    }
    v1::WatchRequest request;
    RETURN_IF_ERROR(ParseRequest(*request_, request));
    if (backends_.feed == nullptr) {
      return PublicError(absl::StatusCode::kUnimplemented, reason::kUnimplemented,
                         "this server has no feed of changes");
    }
    groups_ = CanonicalGroups(principal_.groups);
    ASSIGN_OR_RETURN(FeedPosition from, backends_.feed->End());
    if (!request.token().empty()) {
      ASSIGN_OR_RETURN(from, OpenFeedToken(request.token(), from.feed, groups_));
    }
    reader_ = backends_.feed->Read(std::move(from), groups_);
    return absl::OkStatus();
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
    return absl::OkStatus();
  }

  void Check() {
    absl::Status identified = Identify();
    if (identified.ok() && !HasAnyRole(principal_, roles_)) identified = RoleMissing();
    if (identified.ok() && CanonicalGroups(principal_.groups) != groups_) {
      identified = FeedRestart("your groups have changed");
    }
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    busy_ = false;
    if (!identified.ok()) {
      End(identified);
      // It would wait for a client that takes nothing and may have nothing.
      if (writing_) context_->TryCancel();
    }
    Step();
  }

  void ReadOn() {
    absl::StatusOr<std::optional<v1::WatchResponse>> page = reader_->Next();
    std::string token;
    if (page.ok() && page->has_value()) token = SealFeedToken(reader_->position(), groups_);
    const std::shared_ptr<std::mutex> mutex = mutex_;
    const std::lock_guard<std::mutex> lock(*mutex);
    busy_ = false;
    if (!page.ok()) {
      End(page.status());
    } else if (!page->has_value()) {
      more_ = true;
    } else {
      Send(**page, std::move(token));
    }
    Step();
  }

  // --- REQUIRES, as all below: mutex_ is held.

  void Send(v1::WatchResponse& page, std::string token) {
    if (!page.current()) more_ = true;
    const uint64_t changes = ChangesIn(page);
    const bool due = Clock::now() - sent_ >= absl::ToChronoNanoseconds(backends_.heartbeat);
    const bool news = changes > 0 || page.current() != told_current_;
    if (ending_ || !(news || due || messages_ == 0)) return;
    told_current_ = page.current();
    page.set_token(std::move(token));
    const grpc::Slice slice(page.SerializeAsString());
    message_ = grpc::ByteBuffer(&slice, 1);
    sent_ = Clock::now();
    ++messages_;
    changes_ += changes;
    bytes_sent_ += message_.Length();
    if (backends_.changes_sent != nullptr) *backends_.changes_sent += changes;
    writing_ = true;
    StartWrite(&message_);
  }

  // The first end counts.
  void End(const absl::Status& status) {
    if (ending_) return;
    ending_ = true;
    end_ = status;
  }

  // Does whatever can be done next; the last thing that its caller does but unlock.
  void Step() {
    if (finished_ || busy_ || writing_) return;
    if (ending_) {
      finished_ = true;
      FinishCall();
      return;
    }
    if (!more_ || reader_ == nullptr) return;
    more_ = false;
    busy_ = environment_.workers->TryRun([this] { ReadOn(); });
    // The next look tries again.
    if (!busy_) more_ = true;
  }

  void FinishCall() {
    // gRPC may call OnDone on another thread before Finish returns.
    Finish(EndOfStream(environment_,
                       {.method = "Watch",
                        .request_id = request_id_,
                        .user_id = principal_.user_id,
                        .credential_id = principal_.credential_id,
                        .cause = cause_,
                        .messages = messages_,
                        .items = changes_,
                        .bytes_received = request_->Length(),
                        .bytes_sent = bytes_sent_,
                        .arrived = arrived_},
                       end_));
  }

  const CallEnvironment& environment_;
  const WatchBackends& backends_;
  const std::vector<std::string>& roles_;
  grpc::CallbackServerContext* const context_;
  const grpc::ByteBuffer* const request_;
  const std::string request_id_;
  const Clock::time_point arrived_ = Clock::now();
  bool entered_ = false;
  // Of the worker that has the stream.
  std::unique_ptr<FeedReader> reader_;
  GroupSet groups_;

  // Outlives this object while it is held.
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
  // State below is guarded by mutex_; the principal is read without it by the worker that sets it.
  Principal principal_;
  std::string cause_;
  Clock::time_point authenticated_ = Clock::now();
  grpc::ByteBuffer message_;
  Clock::time_point sent_ = Clock::now();
  uint64_t messages_ = 0;
  uint64_t changes_ = 0;
  uint64_t bytes_sent_ = 0;
  bool told_current_ = false;
  // There may be something to read.
  bool more_ = false;
  bool writing_ = false;
  // A worker has the stream.
  bool busy_ = false;
  bool ending_ = false;
  absl::Status end_;
  bool finished_ = false;
};

}  // namespace

WatchReactor* ServeWatch(const CallEnvironment& environment, const WatchBackends& backends,
                         const std::vector<std::string>& roles,
                         grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  // gRPC's reactors own themselves: OnDone deletes.
  auto* const reactor = new WatchStream(environment, backends, roles, context, request);
  reactor->Start();
  return reactor;
}

}  // namespace relations
