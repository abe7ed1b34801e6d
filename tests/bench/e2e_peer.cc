// e2e_peer: the other ends that tests/bench/e2e.sh needs. Four programs in one, each printing what
// the script reads:
//
//   e2e_peer sift --target ADDR --ids FILE --token T   prints the ids that the caller may see
//   e2e_peer load --target ADDR --ids FILE --token T   asks a relations server over gRPC
//   e2e_peer echo --listen ADDR --bytes N              a gRPC server that answers N bytes at once
//   e2e_peer static --listen ADDR --bytes N            the gateway's HTTP front with such an answer
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "gateway/http_server.h"
#include "relations/v1/relations.grpc.pb.h"
#include "storage/base/process.h"
#include "storage/base/status_macros.h"
#include "tests/bench/measure.h"
#include "tests/bench/question.h"

namespace relations::bench {
namespace {

struct Settings {
  std::string target;
  std::string ids;
  std::string token;
  std::string listen;
  size_t bytes = 1000;
  size_t in_flight = 32;
  size_t channels = 2;
  double seconds = 10;
  size_t count = 2000;
};

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

void WaitForStopSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int signal_number = 0;
  sigwait(&signals, &signal_number);
}

// --- sift ---

absl::Status RunSift(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto samples, ReadIds(settings.ids));
  const auto stub = v1::RelationsService::NewStub(
      grpc::CreateChannel(settings.target, grpc::InsecureChannelCredentials()));
  size_t printed = 0;
  for (const std::string& id : samples.begin()->second) {
    if (printed == settings.count) break;
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + settings.token);
    v1::GetRelationsRequest request;
    request.set_id(id);
    v1::GetRelationsResponse response;
    const grpc::Status status = stub->GetRelations(&context, request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) continue;
    if (!status.ok()) return absl::UnavailableError(status.error_message());
    std::printf("%s\t%s\n", samples.begin()->first.c_str(), id.c_str());
    ++printed;
  }
  return printed > 0 ? absl::OkStatus()
                     : absl::FailedPreconditionError("the caller sees none of the ids");
}

// --- load ---

// What all lanes share; outlives them.
struct Load {
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  std::vector<grpc::ByteBuffer> requests;
  std::string authorization;
  int64_t end = 0;
  std::atomic<size_t> next_request = 0;
  std::atomic<uint64_t> bytes = 0;
  std::latch finished;

  explicit Load(size_t lanes) : finished(static_cast<std::ptrdiff_t>(lanes)) {}
};

// One call after another until the end.
class Lane {
 public:
  Lane(Load& load, size_t index) : load_(load), index_(index) {}

  void Ask() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->AddMetadata("authorization", load_.authorization);
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    response_.Clear();
    const size_t request = load_.next_request.fetch_add(1) % load_.requests.size();
    started_ = WallNanos();
    load_.stubs[index_ % load_.stubs.size()]->UnaryCall(
        context_.get(), "/relations.v1.RelationsService/GetRelations", grpc::StubOptions(),
        &load_.requests[request], &response_,
        [this](const grpc::Status& status) { Answered(status); });
  }

  std::vector<int64_t> nanos;
  uint64_t not_found = 0;
  uint64_t refused = 0;
  uint64_t failed = 0;

 private:
  void Answered(const grpc::Status& status) {
    const int64_t now = WallNanos();
    switch (status.error_code()) {
      case grpc::StatusCode::OK:
        nanos.push_back(now - started_);
        load_.bytes += response_.Length();
        break;
      case grpc::StatusCode::NOT_FOUND:
        ++not_found;
        break;
      case grpc::StatusCode::UNAVAILABLE:
        ++refused;
        break;
      default:
        ++failed;
    }
    if (now < load_.end) {
      Ask();
    } else {
      load_.finished.count_down();
    }
  }

  Load& load_;
  const size_t index_;
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer response_;
  int64_t started_ = 0;
};

absl::Status RunLoad(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto samples, ReadIds(settings.ids));
  Load load(settings.in_flight);
  for (const std::string& id : samples.begin()->second) {
    v1::GetRelationsRequest request;
    request.set_id(id);
    request.set_limit(50);
    request.set_levels(3);
    load.requests.push_back(BufferOf(request.SerializeAsString()));
  }
  load.authorization = "Bearer " + settings.token;
  for (size_t i = 0; i < settings.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("e2e.channel", static_cast<int>(i));
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    load.stubs.push_back(std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(settings.target, grpc::InsecureChannelCredentials(), arguments)));
  }
  const int64_t cpu = ProcessCpuNanos();
  const int64_t start = WallNanos();
  load.end = start + static_cast<int64_t>(settings.seconds * 1e9);
  std::vector<std::unique_ptr<Lane>> lanes;
  for (size_t i = 0; i < settings.in_flight; ++i) {
    lanes.push_back(std::make_unique<Lane>(load, i));
  }
  for (const auto& lane : lanes) lane->Ask();
  load.finished.wait();
  const double seconds = static_cast<double>(WallNanos() - start) / 1e9;
  const auto cpu_micros = static_cast<double>(ProcessCpuNanos() - cpu) / 1e3;
  Samples times;
  uint64_t not_found = 0;
  uint64_t refused = 0;
  uint64_t failed = 0;
  for (const auto& lane : lanes) {
    for (const int64_t nanos : lane->nanos) times.Add(nanos);
    not_found += lane->not_found;
    refused += lane->refused;
    failed += lane->failed;
  }
  const auto answered = static_cast<double>(times.size());
  const auto all = answered + static_cast<double>(not_found + refused + failed);
  // requests, requests/s of answers, p50 us, p99 us, client CPU us/request, bytes/answer, others
  std::printf("%.0f %.0f %.0f %.0f %.1f %.0f %lu %lu %lu\n", all,
              (answered + static_cast<double>(not_found)) / seconds, times.Micros(0.5),
              times.Micros(0.99), cpu_micros / all,
              static_cast<double>(load.bytes) / std::max(1.0, answered), not_found, refused,
              failed);
  return absl::OkStatus();
}

// --- echo ---

class EchoService : public v1::RelationsService::WithRawCallbackMethod_GetRelations<
                        v1::RelationsService::Service> {
 public:
  explicit EchoService(size_t bytes) : answer_(BufferOf(std::string(bytes, 'x'))) {}

  grpc::ServerUnaryReactor* GetRelations(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer*,
                                         grpc::ByteBuffer* answer) override {
    *answer = answer_;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  // Shared by all answers: its bytes are counted, not copied.
  const grpc::ByteBuffer answer_;
};

absl::Status RunEcho(const Settings& settings) {
  EchoService service(settings.bytes);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(settings.listen, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::UnavailableError("cannot listen on " + settings.listen);
  std::printf("listening on %s\n", settings.listen.c_str());
  std::fflush(stdout);
  WaitForStopSignal();
  server->Shutdown();
  server->Wait();
  return absl::OkStatus();
}

// --- static ---

class StaticApplication : public gateway::Application {
 public:
  explicit StaticApplication(size_t bytes) : body_(bytes, 'x') {}

  std::shared_ptr<gateway::PendingCall> Answer(gateway::HttpRequest, Respond respond) override {
    gateway::HttpAnswer answer;
    answer.AddField("Content-Type", "application/json; charset=utf-8");
    answer.body = body_;
    respond(std::move(answer));
    return nullptr;
  }
  gateway::HttpAnswer Refuse(const gateway::Failure& failure,
                             const gateway::HttpRequest&) override {
    gateway::HttpAnswer answer;
    answer.status = failure.status;
    answer.close = true;
    return answer;
  }
  void BeginDrain() override {}
  void WaitUntilIdle() override {}

 private:
  const std::string body_;
};

absl::Status RunStatic(const Settings& settings) {
  StaticApplication application(settings.bytes);
  gateway::HttpServerOptions options;
  ASSIGN_OR_RETURN(const gateway::ListenAddress address,
                   gateway::ParseListenAddress(settings.listen));
  options.listen = {address};
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  ASSIGN_OR_RETURN(const auto server, gateway::HttpServer::Start(options, application));
  std::printf("listening on %s\n", server->addresses()[0].c_str());
  std::fflush(stdout);
  WaitForStopSignal();
  server->Drain(std::chrono::milliseconds(1000));
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  using relations::bench::Settings;
  // As the programs that it stands beside.
  relations::PrepareProcess();
  // Before any thread starts, so that only the wait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Settings settings;
  CLI::App app("The other ends of tests/bench/e2e.sh.", "e2e_peer");
  app.require_subcommand(1);
  CLI::App* const load = app.add_subcommand("load", "Asks a relations server over gRPC");
  CLI::App* const sift = app.add_subcommand("sift", "Prints the ids that the caller may see");
  for (CLI::App* const client : {load, sift}) {
    client->add_option("--target", settings.target, "The server")->required();
    client->add_option("--ids", settings.ids, "Ids to ask for, as generate --ids writes them")
        ->required();
    client->add_option("--token", settings.token, "Session token");
  }
  sift->add_option("--count", settings.count, "At most so many")->capture_default_str();
  load->add_option("--in-flight", settings.in_flight, "Calls at once")->capture_default_str();
  load->add_option("--channels", settings.channels, "Connections")->capture_default_str();
  load->add_option("--seconds", settings.seconds, "How long")->capture_default_str();
  CLI::App* const echo = app.add_subcommand("echo", "A gRPC server that answers N bytes at once");
  CLI::App* const plain = app.add_subcommand("static", "The HTTP front with a static answer");
  for (CLI::App* const server : {echo, plain}) {
    server->add_option("--listen", settings.listen, "Address")->required();
    server->add_option("--bytes", settings.bytes, "Size of the answer")->capture_default_str();
  }
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = sift->parsed()   ? relations::bench::RunSift(settings)
                              : load->parsed() ? relations::bench::RunLoad(settings)
                              : echo->parsed() ? relations::bench::RunEcho(settings)
                                               : relations::bench::RunStatic(settings);
  if (!status.ok()) std::fprintf(stderr, "e2e_peer: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
