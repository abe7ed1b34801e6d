#include "tests/server/rpc_client.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/channel_arguments.h"
#include "server/tls_credentials.h"

namespace relations {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToText(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) {
    return "";
  }
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

std::string CodeName(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

void TakeDetailsApart(const std::string& bytes, RpcOutcome& outcome) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (bytes.empty() || !details.ParseFromString(bytes) || details.details_size() != 1 ||
      details.details(0).type_url() != "type.googleapis.com/google.rpc.ErrorInfo" ||
      !info.ParseFromString(details.details(0).value())) {
    return;
  }
  outcome.details_code = CodeName(details.code());
  outcome.details_message = details.message();
  outcome.reason = info.reason();
  outcome.domain = info.domain();
  const auto value = [&](const char* key) {
    const auto found = info.metadata().find(key);
    return found == info.metadata().end() ? std::string() : found->second;
  };
  outcome.error_id = value("error_id");
  outcome.param = value("param");
  outcome.retry_after = value("retry_after");
}

}  // namespace

// Never owned by gRPC's callback: the context holds the channel, and a channel whose last reference
// goes on one of its own threads waits for itself.
struct PendingRpc::State {
  ~State() {
    if (ended.valid()) {
      context.TryCancel();
      ended.wait();
    }
  }

  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer answer;
  std::future<grpc::Status> ended;
};

void PendingRpc::Cancel() { state_->context.TryCancel(); }

RpcOutcome PendingRpc::Wait() {
  const grpc::Status status = state_->ended.get();
  RpcOutcome outcome;
  outcome.code = CodeName(status.error_code());
  outcome.message = status.error_message();
  TakeDetailsApart(status.error_details(), outcome);
  outcome.answer = ToText(state_->answer);
  const auto trailer = [&](const char* key) {
    const auto found = state_->context.GetServerTrailingMetadata().find(key);
    return found == state_->context.GetServerTrailingMetadata().end()
               ? std::string()
               : std::string(found->second.data(), found->second.size());
  };
  outcome.rate_limit = trailer("ratelimit-limit");
  outcome.rate_remaining = trailer("ratelimit-remaining");
  return outcome;
}

class RpcStream::Reactor final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  void Run(grpc::GenericStub& stub, const std::string& method, const std::string& request) {
    request_ = ToBuffer(request);
    stub.PrepareBidiStreamingCall(&context_, method, {}, this);
    StartRead(&read_);
    StartWriteLast(&request_, {});
    StartCall();
  }

  std::optional<std::string> Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return done_ || !received_.empty(); });
    if (received_.empty()) {
      return std::nullopt;
    }
    std::string bytes = std::move(received_.front());
    received_.pop_front();
    return bytes;
  }

  void Stop() {
    context_.TryCancel();
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      received_.push_back(ToText(read_));
      changed_.notify_all();
    }
    StartRead(&read_);
  }
  void OnDone(const grpc::Status&) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer read_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> received_;
  bool done_ = false;
};

RpcStream::~RpcStream() { reactor_->Stop(); }

std::optional<std::string> RpcStream::Read() { return reactor_->Next(); }

struct RpcClient::Connection {
  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;
};

RpcClient::RpcClient(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A connection of its own for each client, and none that outlives it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  connection_ = std::make_unique<Connection>(Connection{channel, grpc::GenericStub(channel)});
}

RpcClient::RpcClient(const std::string& address, const TlsFiles& files, const std::string& name) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride(name);
  auto channel = grpc::CreateCustomChannel(address, TlsClient(files, 1).value(), arguments);
  connection_ = std::make_unique<Connection>(Connection{channel, grpc::GenericStub(channel)});
}

RpcClient::~RpcClient() = default;

PendingRpc RpcClient::Start(const std::string& method, const std::string& request,
                            const Headers& headers, std::chrono::milliseconds deadline) {
  auto state = std::make_shared<PendingRpc::State>();
  for (const auto& [name, value] : headers) {
    state->context.AddMetadata(name, value);
  }
  state->context.set_deadline(std::chrono::system_clock::now() + deadline);
  state->request = ToBuffer(request);
  auto ended = std::make_shared<std::promise<grpc::Status>>();
  state->ended = ended->get_future();
  connection_->stub.UnaryCall(
      &state->context, method, {}, &state->request, &state->answer,
      [ended](grpc::Status status) { ended->set_value(std::move(status)); });
  return PendingRpc(state);
}

RpcOutcome RpcClient::Call(const std::string& method, const std::string& request,
                           const Headers& headers, std::chrono::milliseconds deadline) {
  return Start(method, request, headers, deadline).Wait();
}

RpcStream RpcClient::Open(const std::string& method, const std::string& request) {
  auto reactor = std::make_shared<RpcStream::Reactor>();
  reactor->Run(connection_->stub, method, request);
  return RpcStream(reactor);
}

}  // namespace relations
