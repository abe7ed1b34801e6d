#include "server/access/http_client.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/access/http_connection.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

namespace asio = boost::asio;

// A connection without a question for so long is not used again: services end them about then.
constexpr std::chrono::seconds kIdleMax{30};

// A question on its way.
struct Exchange {
  Exchange(asio::io_context& io, HttpClient::Question asked, HttpClient::Done then)
      : question(std::move(asked)), done(std::move(then)), timer(io) {}

  HttpClient::Question question;
  HttpClient::Done done;
  asio::steady_timer timer;
  // Null while it waits.
  std::shared_ptr<HttpConnection> connection;
  bool ended = false;
};

struct IdleConnection {
  std::shared_ptr<HttpConnection> connection;
  std::chrono::steady_clock::time_point since;
};

}  // namespace

// All but the atomics is used on the thread alone.
class HttpClient::Engine {
 public:
  Engine(const Options& options, std::unique_ptr<TlsClientContext> tls)
      : options_(options), tls_(std::move(tls)), work_(asio::make_work_guard(io_)) {
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Engine() {
    asio::post(io_, [this] { CancelAll(); });
    thread_.join();
  }

  void Get(Question question, Done done) {
    if (under_way_.fetch_add(1) >= options_.connections_max + options_.waiting_max) {
      --under_way_;
      done(absl::ResourceExhaustedError(
          absl::StrCat(options_.url.Origin(), ": too many questions wait")));
      return;
    }
    auto exchange = std::make_shared<Exchange>(io_, std::move(question), std::move(done));
    asio::post(io_, [this, exchange] { Begin(exchange); });
  }

  size_t under_way() const { return under_way_; }
  size_t connections_opened() const { return opened_; }

 private:
  using Pointer = std::shared_ptr<Exchange>;

  void Begin(const Pointer& exchange) {
    exchange->timer.expires_after(options_.timeout);
    exchange->timer.async_wait([this, exchange](boost::system::error_code error) {
      if (error || exchange->ended) return;
      const auto connection = exchange->connection;
      Finish(exchange,
             absl::DeadlineExceededError(absl::StrCat(options_.url.Origin(), ": no answer within ",
                                                      options_.timeout.count(), " ms")));
      if (connection != nullptr) connection->End();
      AskNext();
    });
    live_.push_back(exchange);
    waiting_.push_back(exchange);
    AskNext();
  }

  void AskNext() {
    while (!waiting_.empty() && asking_ < options_.connections_max) {
      const Pointer exchange = waiting_.front();
      waiting_.pop_front();
      ++asking_;
      if (const auto connection = TakeIdle()) {
        AskOver(exchange, connection, Connection::kUsedBefore);
      } else {
        OpenFor(exchange);
      }
    }
  }

  std::shared_ptr<HttpConnection> TakeIdle() {
    const auto now = std::chrono::steady_clock::now();
    while (!idle_.empty()) {
      const IdleConnection last = std::move(idle_.back());
      idle_.pop_back();
      if (now - last.since < kIdleMax && last.connection->IsQuiet()) return last.connection;
      last.connection->End();
    }
    return nullptr;
  }

  void OpenFor(const Pointer& exchange) {
    ++opened_;
    auto connection = std::make_shared<HttpConnection>(
        io_, options_.url, tls_ != nullptr ? tls_->Get() : nullptr, options_.answer_bytes_max);
    exchange->connection = connection;
    connection->Open([this, exchange, connection](absl::Status status) {
      if (status.ok()) {
        AskOver(exchange, connection, Connection::kNew);
        return;
      }
      Finish(exchange, status);
      AskNext();
    });
  }

  enum class Connection { kNew, kUsedBefore };

  void AskOver(const Pointer& exchange, const std::shared_ptr<HttpConnection>& connection,
               Connection kind) {
    exchange->connection = connection;
    connection->Ask(
        exchange->question, [this, exchange, connection, kind](absl::StatusOr<Answer> answer) {
          if (!answer.ok() && kind == Connection::kUsedBefore && connection->is_unanswered()) {
            // It ended as we began to ask: nobody has seen the question, or a GET does no harm
            // twice.
            connection->End();
            OpenFor(exchange);
            return;
          }
          if (answer.ok() && connection->is_reusable()) {
            idle_.push_back({connection, std::chrono::steady_clock::now()});
          } else {
            connection->End();
          }
          Finish(exchange, std::move(answer));
          AskNext();
        });
  }

  void Finish(const Pointer& exchange, absl::StatusOr<Answer> answer) {
    if (std::exchange(exchange->ended, true)) return;
    exchange->timer.cancel();
    if (exchange->connection != nullptr) --asking_;
    exchange->connection = nullptr;
    live_.erase(std::find(live_.begin(), live_.end(), exchange));
    waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), exchange), waiting_.end());
    --under_way_;
    const Done done = std::move(exchange->done);
    done(std::move(answer));
  }

  void CancelAll() {
    work_.reset();
    while (!live_.empty()) {
      const Pointer exchange = live_.front();
      if (exchange->connection != nullptr) exchange->connection->End();
      Finish(exchange, absl::CancelledError("the client goes"));
    }
    for (const IdleConnection& idle : idle_) idle.connection->End();
    idle_.clear();
    io_.stop();
  }

  const Options options_;
  const std::unique_ptr<TlsClientContext> tls_;
  std::atomic<size_t> under_way_ = 0;
  std::atomic<size_t> opened_ = 0;
  size_t asking_ = 0;
  std::vector<Pointer> live_;
  std::deque<Pointer> waiting_;
  std::vector<IdleConnection> idle_;
  // Destroyed before what its handlers use.
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<HttpClient>> HttpClient::Start(const Options& options) {
  std::unique_ptr<TlsClientContext> tls;
  if (options.url.is_tls) {
    ASSIGN_OR_RETURN(tls, TlsClientContext::Open(options.tls));
  }
  return absl::WrapUnique(new HttpClient(std::make_unique<Engine>(options, std::move(tls))));
}

HttpClient::HttpClient(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
HttpClient::~HttpClient() = default;

void HttpClient::Get(Question question, Done done) {
  engine_->Get(std::move(question), std::move(done));
}

size_t HttpClient::under_way() const { return engine_->under_way(); }
size_t HttpClient::connections_opened() const { return engine_->connections_opened(); }

}  // namespace relations
