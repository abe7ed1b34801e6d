#include "tests/gateway/fake_backend.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>

#include "google/rpc/status.pb.h"
#include "relations/v1/relations.grpc.pb.h"

namespace relations::gateway {
namespace {

constexpr std::chrono::seconds kPatience{10};

grpc::Status ToStatus(const FakeBackend::Outcome& outcome) {
  if (outcome.code == absl::StatusCode::kOk) {
    return grpc::Status::OK;
  }
  const auto code = static_cast<grpc::StatusCode>(outcome.code);
  if (outcome.reason.empty()) {
    return grpc::Status(code, outcome.message);
  }
  google::rpc::ErrorInfo info;
  info.set_reason(outcome.reason);
  info.set_domain("relations.v1");
  (*info.mutable_metadata())["error_id"] = outcome.error_id;
  if (!outcome.param.empty()) (*info.mutable_metadata())["param"] = outcome.param;
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(outcome.message);
  details.add_details()->PackFrom(info);
  return grpc::Status(code, outcome.message, details.SerializeAsString());
}

}  // namespace

struct FakeBackend::Impl : v1::RelationsService::CallbackService {
  // A call that waits while the backend holds.
  struct HeldCall : grpc::ServerUnaryReactor {
    Impl* backend = nullptr;
    Call call;
    v1::GetRelationsResponse* response = nullptr;

    void OnCancel() override { backend->OnCancel(this); }
    void OnDone() override { delete this; }
  };

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  Script script = AnswerAsServer;
  bool holding = false;
  std::set<HeldCall*> held;
  Call last;
  int arrived = 0;
  int cancelled = 0;
  std::unique_ptr<grpc::Server> server;

  grpc::ServerUnaryReactor* GetRelations(grpc::CallbackServerContext* context,
                                         const v1::GetRelationsRequest* request,
                                         v1::GetRelationsResponse* response) override {
    auto* reactor = new HeldCall;
    reactor->backend = this;
    reactor->call.request = *request;
    reactor->call.deadline = context->deadline();
    for (const auto& [name, value] : context->client_metadata()) {
      reactor->call.metadata.emplace(std::string(name.data(), name.size()),
                                     std::string(value.data(), value.size()));
    }
    reactor->response = response;
    {
      const std::lock_guard lock(mutex);
      last = reactor->call;
      ++arrived;
      changed.notify_all();
      if (holding) {
        held.insert(reactor);
        return reactor;
      }
    }
    Finish(reactor);
    return reactor;
  }

  void Finish(HeldCall* reactor) {
    Script current;
    {
      const std::lock_guard lock(mutex);
      current = script;
    }
    const Outcome outcome = current(reactor->call);
    *reactor->response = outcome.response;
    reactor->Finish(ToStatus(outcome));
  }

  void OnCancel(HeldCall* reactor) {
    {
      const std::lock_guard lock(mutex);
      if (held.erase(reactor) == 0) return;
      ++cancelled;
      changed.notify_all();
    }
    reactor->Finish(grpc::Status::CANCELLED);
  }

  void ReleaseAll() {
    std::set<HeldCall*> released;
    {
      const std::lock_guard lock(mutex);
      holding = false;
      released.swap(held);
    }
    for (HeldCall* reactor : released) Finish(reactor);
  }

  bool WaitUntil(const std::function<bool()>& condition) const {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, condition);
  }
};

FakeBackend::FakeBackend(const std::string& unix_path) : impl_(std::make_unique<Impl>()) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + unix_path, grpc::InsecureServerCredentials());
  builder.RegisterService(impl_.get());
  builder.SetMaxSendMessageSize(-1);
  impl_->server = builder.BuildAndStart();
  if (impl_->server == nullptr) {
    std::abort();
  }
}

FakeBackend::~FakeBackend() {
  impl_->ReleaseAll();
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
}

FakeBackend::Outcome FakeBackend::AnswerAsServer(const Call& call) {
  Outcome outcome;
  if (call.metadata.count("authorization") != 1) {
    outcome.code = absl::StatusCode::kUnauthenticated;
    outcome.message = "credentials are missing";
    outcome.reason = "unauthenticated";
    outcome.error_id = "11111111-1111-4111-8111-111111111111";
  } else if (call.request.limit() < 0) {
    outcome.code = absl::StatusCode::kInvalidArgument;
    outcome.message = "id is not valid";
    outcome.reason = "invalid_id";
    outcome.param = "id";
    outcome.error_id = "22222222-2222-4222-8222-222222222222";
  } else {
    outcome.response.add_nodes()->set_id(call.request.id());
    outcome.response.set_stop_reason(v1::STOP_REASON_COMPLETE);
  }
  return outcome;
}

void FakeBackend::SetScript(Script script) {
  const std::lock_guard lock(impl_->mutex);
  impl_->script = std::move(script);
}

void FakeBackend::Hold() {
  const std::lock_guard lock(impl_->mutex);
  impl_->holding = true;
}

void FakeBackend::Release() { impl_->ReleaseAll(); }

void FakeBackend::SetServing(bool serving) {
  impl_->server->GetHealthCheckService()->SetServingStatus(serving);
}

FakeBackend::Call FakeBackend::last_call() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->last;
}

int FakeBackend::calls() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->arrived;
}

bool FakeBackend::WaitForCalls(int count) const {
  return impl_->WaitUntil([&] { return impl_->arrived >= count; });
}

bool FakeBackend::WaitForCancellations(int count) const {
  return impl_->WaitUntil([&] { return impl_->cancelled >= count; });
}

}  // namespace relations::gateway
