#include "gateway/upstream.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "gateway/tls_credentials.h"
#include "gateway/wire_reader.h"
#include "google/rpc/status.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr char kGetRelations[] = "/relations.v1.RelationsService/GetRelations";
constexpr char kIngestService[] = "/relations.v1.IngestService/";
constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
// HealthCheckResponse: field `status`, and its value SERVING.
constexpr uint32_t kHealthStatusField = 1;
constexpr uint64_t kServing = 1;
// A backend that comes back is found soon.
constexpr int kReconnectBackoffMinMs = 100;
constexpr int kReconnectBackoffMaxMs = 500;
// gRPC draws each pause from 80 to 120 % of it; a server that is back is found within a second.
static_assert(kReconnectBackoffMaxMs * 12 / 10 < 1000);
// What gRPC calls the least backoff is the time that one attempt to connect gets: a busy host must
// not pass for one that is away.
constexpr int kConnectTimeoutMs = 2000;

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Reads the ErrorInfo of the service from the status details, where one is.
void ReadDetails(const std::string& details, RpcFailure& failure) {
  google::rpc::Status status;
  if (details.empty() || !status.ParseFromString(details)) {
    return;
  }
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    if (!any.Is<google::rpc::ErrorInfo>() || !any.UnpackTo(&info) ||
        info.domain() != kErrorDomain) {
      continue;
    }
    const auto metadata = [&info](const char* key) {
      const auto entry = info.metadata().find(key);
      return entry == info.metadata().end() ? std::string() : entry->second;
    };
    failure.from_service = true;
    failure.reason = info.reason();
    failure.param = metadata("param");
    failure.error_id = metadata("error_id");
    failure.retry_after = metadata("retry_after");
    return;
  }
}

RpcFailure ToRpcFailure(const grpc::Status& status) {
  RpcFailure failure;
  failure.code = static_cast<absl::StatusCode>(status.error_code());
  failure.message = status.error_message();
  ReadDetails(status.error_details(), failure);
  return failure;
}

// Counts the calls under way.
class CallGauge {
 public:
  explicit CallGauge(int max) : max_(max) {}

  bool TryEnter() {
    const std::lock_guard lock(mutex_);
    if (count_ >= max_) return false;
    ++count_;
    return true;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    --count_;
    if (count_ == 0) idle_.notify_all();
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  void WaitUntilIdle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  const int max_;
  std::mutex mutex_;
  std::condition_variable idle_;
  int count_ = 0;
};

// Kept alive by the function that gRPC calls at the end.
struct Call : PendingCall {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  Upstream::Done done;

  void Cancel() override { context.TryCancel(); }

  void Finish(const grpc::Status& status) {
    RpcResult result;
    grpc::Slice answer;
    if (!status.ok()) {
      result.failure = ToRpcFailure(status);
    } else if (const grpc::Status gathered = response.TrySingleSlice(&answer); !gathered.ok()) {
      if (const grpc::Status dumped = response.DumpToSingleSlice(&answer); !dumped.ok()) {
        result.failure = ToRpcFailure(dumped);
      }
    }
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto trailer = [&trailers](const char* name) {
      const auto found = trailers.find(name);
      return found == trailers.end() ? std::string()
                                     : std::string(found->second.data(), found->second.size());
    };
    result.rate_limit = trailer("ratelimit-limit");
    result.rate_remaining = trailer("ratelimit-remaining");
    result.rate_reset = trailer("ratelimit-reset");
    result.answer = absl::string_view(reinterpret_cast<const char*>(answer.begin()), answer.size());
    done(result);
    done = nullptr;
  }
};

class GrpcUpstream : public Upstream {
 public:
  GrpcUpstream(UpstreamOptions options, std::shared_ptr<grpc::ChannelCredentials> credentials)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        gauge_(std::make_shared<CallGauge>(options_.max_in_flight)) {
    for (int i = 0; i < std::max(options_.channels, 1); ++i) {
      stubs_.push_back(std::make_unique<grpc::GenericStub>(MakeChannel(i)));
    }
  }

  std::shared_ptr<PendingCall> GetRelations(const RelationsCall& call, Done done) override {
    v1::GetRelationsRequest request;
    request.set_id(call.id);
    request.set_limit(call.limit);
    request.set_levels(call.levels);
    for (const std::string& type : call.types) request.add_types(type);
    auto pending = std::make_shared<Call>();
    for (const auto& [name, value] : call.metadata) pending->context.AddMetadata(name, value);
    pending->request = ToBuffer(request.SerializeAsString());
    return Start(std::move(pending), kGetRelations, options_.request_timeout, std::move(done));
  }

  std::shared_ptr<PendingCall> Ingest(const IngestCall& call, Done done) override {
    auto pending = std::make_shared<Call>();
    for (const auto& [name, value] : call.metadata) pending->context.AddMetadata(name, value);
    pending->request = ToBuffer(call.request);
    const std::string method = absl::StrCat(kIngestService, call.method);
    return Start(std::move(pending), method.c_str(), options_.request_timeout, std::move(done));
  }

  std::shared_ptr<PendingCall> CheckHealth(Done done) override {
    auto pending = std::make_shared<Call>();
    // The request without its only field asks for the server as a whole.
    pending->request = ToBuffer("");
    return Start(std::move(pending), kHealthCheck, options_.health_timeout,
                 [done = std::move(done)](const RpcResult& result) {
                   done(result.failure || IsServing(result.answer) ? result : NotServing());
                 });
  }

  int calls_in_flight() override { return gauge_->count(); }

  void WaitUntilIdle() override { gauge_->WaitUntilIdle(); }

 private:
  std::shared_ptr<grpc::Channel> MakeChannel(int index) const {
    grpc::ChannelArguments arguments;
    // Channels of equal arguments would share one connection.
    arguments.SetInt("relations.channel", index);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectBackoffMinMs);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectBackoffMaxMs);
    // The backend is named by a setting alone, not by a proxy of the environment.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetMaxReceiveMessageSize(limits::kAnswerBytesMax);
    if (!options_.tls_name.empty()) arguments.SetSslTargetNameOverride(options_.tls_name);
    return grpc::CreateCustomChannel(options_.backend, credentials_, arguments);
  }

  static bool IsServing(absl::string_view answer) {
    WireReader reader(answer);
    WireField field;
    uint64_t status = 0;
    while (reader.NextField(field)) {
      if (field.number == kHealthStatusField) status = field.scalar;
    }
    return reader.ok() && status == kServing;
  }

  static RpcResult NotServing() {
    RpcFailure failure;
    failure.code = absl::StatusCode::kUnavailable;
    failure.message = "the backend is not serving";
    RpcResult result;
    result.failure = std::move(failure);
    return result;
  }

  std::shared_ptr<PendingCall> Start(std::shared_ptr<Call> call, const char* method,
                                     std::chrono::milliseconds timeout, Done done) {
    if (!gauge_->TryEnter()) {
      RpcResult result;
      RpcFailure& overloaded = result.failure.emplace();
      overloaded.code = absl::StatusCode::kUnavailable;
      overloaded.message = "too many calls in flight";
      done(result);
      return nullptr;
    }
    call->done = std::move(done);
    call->context.set_deadline(std::chrono::system_clock::now() + timeout);
    grpc::GenericStub& stub = *stubs_[next_stub_.fetch_add(1) % stubs_.size()];
    // The gauge is left last: who waits for it may then destroy all else.
    stub.UnaryCall(&call->context, method, grpc::StubOptions(), &call->request, &call->response,
                   [call, gauge = gauge_](const grpc::Status& status) mutable {
                     call->Finish(status);
                     call.reset();
                     gauge->Leave();
                   });
    return call;
  }

  const UpstreamOptions options_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const std::shared_ptr<CallGauge> gauge_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::atomic<uint32_t> next_stub_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Upstream>> ConnectUpstream(UpstreamOptions options) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.tls) {
    ASSIGN_OR_RETURN(credentials, TlsToBackend(options.tls_files));
  }
  return std::make_unique<GrpcUpstream>(std::move(options), std::move(credentials));
}

}  // namespace relations::gateway
