#include "gateway/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <latch>
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
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
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

// A socket that accepts, on the thread of `home`. A TCP address has one for each worker, which
// serves what it accepts; a unix socket cannot be shared so, and its connections go round.
struct Door {
  Door(Listener bound, Worker& worker) : listener(std::move(bound)), home(worker) {}

  Listener listener;
  Worker& home;
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
    // Never started: the doors are still this thread's.
    for (const auto& door : doors_) door->listener.Close();
  }

  absl::Status Listen() {
    for (const ListenAddress& address : options_.listen) {
      ASSIGN_OR_RETURN(Listener first, Listener::Open(workers_[0]->context, address));
      addresses_.push_back(first.name());
      const bool door_a_worker = first.is_tcp();
      doors_.push_back(std::make_unique<Door>(std::move(first), *workers_[0]));
      const size_t first_door = doors_.size() - 1;
      for (size_t i = 1; door_a_worker && i < workers_.size(); ++i) {
        ASSIGN_OR_RETURN(Listener next,
                         Listener::OpenBeside(workers_[i]->context, doors_[first_door]->listener));
        doors_.push_back(std::make_unique<Door>(std::move(next), *workers_[i]));
      }
    }
    return absl::OkStatus();
  }

  void Run() {
    for (const auto& door : doors_) Accept(*door);
    for (const auto& worker : workers_) {
      worker->thread = std::thread([&worker = *worker] { worker.context.run(); });
    }
  }

  const std::vector<std::string>& addresses() const override { return addresses_; }

  int connections() override { return gauge_.count(); }

  bool Drain(milliseconds timeout) override {
    application_.BeginDrain();
    // All doors are shut before any connection ends: who sees that cannot come in again.
    std::latch shut(static_cast<std::ptrdiff_t>(doors_.size()));
    for (const auto& door : doors_) {
      asio::post(door->home.context, [&door = *door, &shut] {
        door.listener.Close();
        shut.count_down();
      });
    }
    shut.wait();
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
  void StopAccepting() {
    for (const auto& door : doors_) {
      asio::post(door->home.context, [&door = *door] { door.listener.Close(); });
    }
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

  void Accept(Door& door) {
    Worker& worker =
        door.listener.is_tcp() ? door.home : *workers_[next_worker_++ % workers_.size()];
    door.listener.acceptor().async_accept(
        worker.context, [this, &door, &worker](const error_code& error, Connection::Socket socket) {
          if (!door.listener.acceptor().is_open()) {
            return;
          }
          if (error && error != asio::error::connection_aborted) {
            LogWarning("accept failed",
                       {{"address", door.listener.name()}, {"cause", error.message()}});
            AcceptLater(door);
            return;
          }
          if (!error) Admit(std::move(socket), worker, door.listener.is_tcp());
          Accept(door);
        });
  }

  void AcceptLater(Door& door) {
    const auto timer = std::make_shared<asio::steady_timer>(door.home.context, kAcceptPause);
    timer->async_wait([this, &door, timer](const error_code&) {
      if (door.listener.acceptor().is_open()) Accept(door);
    });
  }

  void Admit(Connection::Socket socket, Worker& worker, bool is_tcp) {
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
        std::move(socket), is_tcp && options_.tls != nullptr ? options_.tls->Context() : nullptr,
        options_.connection, application_, [this, &worker](Connection& closed) {
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
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::string> addresses_;
  // Of connections to unix sockets; the first worker's.
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
