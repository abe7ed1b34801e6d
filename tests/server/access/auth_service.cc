#include "tests/server/access/auth_service.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "absl/strings/ascii.h"

namespace relations {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kPatience{30};
constexpr int kBacklog = 512;

tcp::endpoint Loopback() { return {asio::ip::address_v4::loopback(), 0}; }

}  // namespace

// One thread accepts, one more serves each connection.
class AuthService::State {
 public:
  State(Handler handler, const TlsFiles& tls)
      : handler_(std::move(handler)), acceptor_(io_), context_(asio::ssl::context::tls_server) {
    if (!tls.certificate.empty()) {
      is_tls_ = true;
      context_.use_certificate_chain_file(tls.certificate);
      context_.use_private_key_file(tls.key, asio::ssl::context::pem);
      if (!tls.authorities.empty()) {
        context_.load_verify_file(tls.authorities);
        context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
      }
    }
    acceptor_.open(tcp::v4());
    acceptor_.bind(Loopback());
    acceptor_.listen(kBacklog);
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread([this] { Accept(); });
  }

  ~State() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      held_ = false;
      for (tcp::socket& socket : sockets_) End(socket);
    }
    changed_.notify_all();
    // A last connection wakes the thread that accepts.
    error_code ignored;
    tcp::socket waking(io_);
    waking.connect({asio::ip::address_v4::loopback(), static_cast<uint16_t>(port_)}, ignored);
    thread_.join();
    for (std::thread& connection : connections_) connection.join();
  }

  int port() const { return port_; }
  bool is_tls() const { return is_tls_; }

  template <typename Use>
  auto Locked(Use use) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return use(*this);
  }

  void SetHeld(bool held) {
    Locked([held](State& state) { return state.held_ = held; });
    changed_.notify_all();
  }

  void WaitForRequests(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto there = [&] { return static_cast<int>(seen_.size()) >= count; };
    if (!changed_.wait_for(lock, kPatience, there)) throw std::runtime_error("no such request");
  }

  int accepted_ = 0;
  std::vector<Request> seen_;

 private:
  static void End(tcp::socket& socket) {
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  void Accept() {
    while (true) {
      tcp::socket accepted(io_);
      error_code error;
      acceptor_.accept(accepted, error);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      if (error) continue;
      ++accepted_;
      tcp::socket& socket = sockets_.emplace_back(std::move(accepted));
      connections_.emplace_back([this, &socket] { Serve(socket); });
    }
  }

  void Serve(tcp::socket& socket) {
    if (!is_tls_) {
      ServeOver(socket);
    } else {
      asio::ssl::stream<tcp::socket&> stream(socket, context_);
      error_code error;
      stream.handshake(asio::ssl::stream_base::server, error);
      if (!error) ServeOver(stream);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    End(socket);
  }

  template <typename Stream>
  void ServeOver(Stream& stream) {
    boost::beast::flat_buffer buffer;
    error_code error;
    while (true) {
      http::request<http::string_body> message;
      http::read(stream, buffer, message, error);
      if (error) return;
      Request request{std::string(message.target()), {}};
      for (const auto& field : message) {
        request.fields[absl::AsciiStrToLower(std::string(field.name_string()))] =
            std::string(field.value());
      }
      if (!Arrive(request)) return;
      const Reply reply = handler_(request);
      if (reply.is_silent) {
        // The client's patience ends first; then a read sees the end.
        http::request<http::string_body> never;
        http::read(stream, buffer, never, error);
        return;
      }
      if (!reply.raw.empty()) {
        asio::write(stream, asio::buffer(reply.raw), error);
        return;
      }
      http::response<http::string_body> answer(static_cast<http::status>(reply.status), 11);
      for (const auto& [name, value] : reply.fields) answer.set(name, value);
      answer.body() = reply.body;
      answer.prepare_payload();
      http::write(stream, answer, error);
      if (error || reply.ends) return;
    }
  }

  // Counts the request and waits until it may be answered; false at the end.
  bool Arrive(const Request& request) {
    std::unique_lock<std::mutex> lock(mutex_);
    seen_.push_back(request);
    changed_.notify_all();
    changed_.wait(lock, [this] { return stopping_ || !held_; });
    return !stopping_;
  }

  const Handler handler_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::ssl::context context_;
  bool is_tls_ = false;
  int port_ = 0;
  std::mutex mutex_;
  // State below is guarded by mutex_, as the public members are.
  std::condition_variable changed_;
  bool held_ = false;
  bool stopping_ = false;
  std::list<tcp::socket> sockets_;
  std::list<std::thread> connections_;
  std::thread thread_;
};

AuthService::AuthService(Handler handler, const TlsFiles& tls)
    : state_(std::make_unique<State>(std::move(handler), tls)) {}
AuthService::~AuthService() = default;

std::string AuthService::url() const {
  return (state_->is_tls() ? "https://127.0.0.1:" : "http://127.0.0.1:") +
         std::to_string(state_->port());
}
int AuthService::port() const { return state_->port(); }
int AuthService::requests() const {
  return state_->Locked([](State& state) { return static_cast<int>(state.seen_.size()); });
}
int AuthService::connections() const {
  return state_->Locked([](State& state) { return state.accepted_; });
}
std::vector<AuthService::Request> AuthService::seen() const {
  return state_->Locked([](State& state) { return state.seen_; });
}
void AuthService::Hold() { state_->SetHeld(true); }
void AuthService::Release() { state_->SetHeld(false); }
void AuthService::WaitForRequests(int count) const { state_->WaitForRequests(count); }

int UnusedPort() {
  asio::io_context io;
  tcp::acceptor acceptor(io, Loopback());
  return acceptor.local_endpoint().port();
}

}  // namespace relations
