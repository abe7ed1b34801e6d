#include "gateway/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "gateway/listener.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

// After a failed accept (no file descriptors left, say) the next try waits this long.
constexpr milliseconds kAcceptPause{50};

// Connections that are open, over all threads.
class ConnectionGauge {
 public:
  // Counts one more; how many there are now.
  int Add() {
    const std::lock_guard lock(mutex_);
    return ++count_;
  }
  void Remove() {
    const std::lock_guard lock(mutex_);
    --count_;
    if (count_ == 0) none_.notify_all();
  }
  void WaitForNone() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }
  bool WaitForNoneFor(milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

// One thread and the connections that it serves; `connections` and `stage` belong to the thread.
struct Worker {
  enum class Stage { kServing, kDraining, kClosed };

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  absl::flat_hash_set<Connection*> connections;
  Stage stage = Stage::kServing;
  std::thread thread;
};

class AsioHttpServer : public HttpServer {
 public:
  AsioHttpServer(const HttpServerOptions& options, Application& application)
      : options_(options), application_(application) {
    for (int i = 0; i < std::max(options.threads, 1); ++i) {
      workers_.push_back(std::make_unique<Worker>());
    }
  }

  ~AsioHttpServer() override {
    StopAccepting();
    CloseConnections();
    gauge_.WaitForNone();
    // No connection is left that could ask the application for more.
    application_.WaitUntilIdle();
    for (const auto& worker : workers_) worker->work.reset();
    for (const auto& worker : workers_) {
      if (worker->thread.joinable()) worker->thread.join();
    }
    // Never started: the listeners are still this thread's.
    for (Listener& listener : listeners_) listener.Close();
  }

  absl::Status Listen() {
    for (const ListenAddress& address : options_.listen) {
      ASSIGN_OR_RETURN(Listener listener, Listener::Open(workers_[0]->context, address));
      addresses_.push_back(listener.name());
      listeners_.push_back(std::move(listener));
    }
    return absl::OkStatus();
  }

  void Run() {
    for (Listener& listener : listeners_) Accept(listener);
    for (const auto& worker : workers_) {
      worker->thread = std::thread([&worker = *worker] { worker.context.run(); });
    }
  }

  const std::vector<std::string>& addresses() const override { return addresses_; }

  bool Drain(milliseconds timeout) override {
    application_.BeginDrain();
    StopAccepting();
    for (const auto& worker : workers_) {
      asio::post(worker->context, [&worker = *worker] {
        worker.stage = Worker::Stage::kDraining;
        // Draining may close a connection and so change the set.
        const auto connections = worker.connections;
        for (Connection* connection : connections) connection->BeginDrain();
      });
    }
    return gauge_.WaitForNoneFor(timeout);
  }

 private:
  // Listeners belong to the first worker's thread once it runs.
  void StopAccepting() {
    asio::post(workers_[0]->context, [this] {
      for (Listener& listener : listeners_) listener.Close();
    });
  }

  void CloseConnections() {
    for (const auto& worker : workers_) {
      asio::post(worker->context, [&worker = *worker] {
        worker.stage = Worker::Stage::kClosed;
        const auto connections = worker.connections;
        for (Connection* connection : connections) connection->Close();
      });
    }
  }

  void Accept(Listener& listener) {
    Worker& worker = *workers_[next_worker_++ % workers_.size()];
    listener.acceptor().async_accept(
        worker.context,
        [this, &listener, &worker](const error_code& error, Connection::Socket socket) {
          if (!listener.acceptor().is_open()) {
            return;
          }
          if (error && error != asio::error::connection_aborted) {
            LogWarning("accept failed", {{"address", listener.name()}, {"cause", error.message()}});
            AcceptLater(listener);
            return;
          }
          if (!error) Admit(std::move(socket), worker);
          Accept(listener);
        });
  }

  void AcceptLater(Listener& listener) {
    const auto timer = std::make_shared<asio::steady_timer>(workers_[0]->context, kAcceptPause);
    timer->async_wait([this, &listener, timer](const error_code&) {
      if (listener.acceptor().is_open()) Accept(listener);
    });
  }

  void Admit(Connection::Socket socket, Worker& worker) {
    const int count = gauge_.Add();
    if (count > options_.max_connections + kRefusedConnectionsMax) {
      gauge_.Remove();
      return;
    }
    const auto admission = count > options_.max_connections ? Connection::Admission::kRefuse
                                                            : Connection::Admission::kServe;
    error_code ignored;  // a unix socket has no such option
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto connection = std::make_shared<Connection>(
        std::move(socket), options_.connection, application_, [this, &worker](Connection& closed) {
          worker.connections.erase(&closed);
          gauge_.Remove();
        });
    asio::post(worker.context, [connection, admission, &worker] {
      worker.connections.insert(connection.get());
      if (worker.stage == Worker::Stage::kClosed) {
        connection->Close();
        return;
      }
      connection->Start(admission);
      if (worker.stage == Worker::Stage::kDraining) connection->BeginDrain();
    });
  }

  const HttpServerOptions options_;
  Application& application_;
  ConnectionGauge gauge_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Listener> listeners_;
  std::vector<std::string> addresses_;
  size_t next_worker_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                              Application& application) {
  auto server = std::make_unique<AsioHttpServer>(options, application);
  RETURN_IF_ERROR(server->Listen());
  server->Run();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace relations::gateway
