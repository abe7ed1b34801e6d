// One client connection: reads requests, has them answered one after another, in order, and writes
// the answers. Everything that a slow, greedy or broken client can do has a limit in time and in
// bytes.
//
// After an answer with `pause` the connection waits in kPausing before it is kReading again.
//
//            Start                  request read             answer comes
//   (new) ----------> kReading ------------------> kAnswering ----------> kWriting --+
//                       ^  |  kept alive                                     |       |
//                       +--|-------------------------------------------------+       | to be closed
//                          | idle, timeout, end                                      v
//                          +-------------------------> kClosed <---------------- kLingering
//
// All members run on the socket's executor, which is one thread. The object lives as long as a
// handler of it is pending.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "gateway/application.h"
#include "gateway/client_stream.h"
#include "gateway/request_parser.h"
#include "storage/base/metrics.h"

namespace relations::gateway {

struct ConnectionOptions {
  // From the first byte of a request (or from the connection's start) until it is read whole.
  std::chrono::milliseconds header_timeout{10000};
  // Between an answer and the next request.
  std::chrono::milliseconds idle_timeout{60000};
  // For writing an answer, plus the time that its size takes at the slowest rate served.
  std::chrono::milliseconds write_timeout{30000};
  size_t write_bytes_per_second_min = 256 << 10;
  // Where answers are counted; null: nowhere. Not owned.
  RequestMetrics* metrics = nullptr;
  // After an answer that says "later". Without it, clients that do not heed that would keep the
  // gateway busy with refusing them.
  std::chrono::milliseconds refused_pause{250};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = ClientStream::Socket;
  using Clock = std::chrono::steady_clock;

  enum class Admission {
    kServe,
    // There are too many connections: answer 503 and close.
    kRefuse,
  };

  // Over TLS where `tls` is not null. `application` must outlive the connection. `on_closed` is
  // called once, when the socket has closed.
  Connection(Socket socket, std::shared_ptr<TlsContext> tls, const ConnectionOptions& options,
             Application& application, std::function<void(Connection&)> on_closed);

  void Start(Admission admission);

  // Closes now if no request has begun, else after the answer to it.
  void BeginDrain();

  // Closes now, cancelling the work under way.
  void Close();

 private:
  enum class Phase { kReading, kAnswering, kWriting, kPausing, kLingering, kClosed };

  void Shake(Admission admission);
  void Begin(Admission admission);
  absl::string_view unread() const { return {input_.data() + input_begin_, input_size_}; }
  // Reads the next request from what has come, or waits for more.
  void Continue();
  void StartRead();
  void OnRead(const boost::system::error_code& error, size_t bytes);
  void OnLingeringRead(const boost::system::error_code& error, size_t bytes);
  void AnswerRequest();
  void RefuseRequest(const Failure& failure);
  void OnAnswer(HttpAnswer answer);
  void Write(HttpAnswer answer);
  // Goes on to the next request.
  void Resume();
  void OnWritten(const boost::system::error_code& error, size_t bytes);
  // Ends the connection so that what was written still arrives: the client may be sending, and
  // closing over unread bytes would make the kernel drop the answer.
  void Linger();
  void LogAnswer(size_t bytes) const;

  void SetDeadline(Clock::duration from_now);
  void ClearDeadline() { deadline_ = Clock::time_point::max(); }
  void ArmTimer();
  void OnTimer();

  ClientStream stream_;
  // The client's IP address; empty for a unix socket.
  const std::string peer_;
  const ConnectionOptions options_;
  Application& application_;
  const std::function<void(Connection&)> on_closed_;

  Phase phase_ = Phase::kReading;
  bool draining_ = false;
  // The client has sent all that it will.
  bool peer_finished_ = false;

  // Input: what has come and is not parsed yet is [input_begin_, input_begin_ + input_size_).
  RequestParser parser_;
  std::string input_;
  size_t input_begin_ = 0;
  size_t input_size_ = 0;
  bool reading_ = false;
  bool request_begun_ = false;
  size_t lingered_bytes_ = 0;
  size_t request_bytes_ = 0;

  // The request being answered.
  std::shared_ptr<PendingCall> pending_;
  std::string method_;
  bool http_1_1_ = true;
  bool keep_alive_ = false;
  Clock::time_point request_read_;
  HttpAnswer answer_;
  std::string answer_head_;
  bool close_after_answer_ = false;

  // One timer for all limits in time. It is moved forward only when it fires, so that a request
  // costs no work on the timer queue.
  boost::asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point timer_armed_for_ = Clock::time_point::max();
  bool timer_armed_ = false;
};

}  // namespace relations::gateway
