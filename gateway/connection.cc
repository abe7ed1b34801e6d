#include "gateway/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"

namespace relations::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kInputBytesInitial = 4 << 10;
// A client that has sent its last byte may still wait for the answer, or may have gone; which of
// the two cannot be told. It is given this long.
constexpr milliseconds kHalfClosedGrace{250};
// Lingering: how long and how much a client may go on sending after the last answer.
constexpr milliseconds kLingerTimeout{1000};
constexpr size_t kLingerBytesMax = 256 << 10;
// What the log says where a client left before its answer.
constexpr int kClientLeft = 499;

// The value of Date, "Sun, 06 Nov 1994 08:49:37 GMT". The text of a second is kept, for thousands
// of answers share it.
absl::string_view DateNow() {
  thread_local int64_t second = std::numeric_limits<int64_t>::min();
  thread_local std::string text;
  const absl::Time now = absl::Now();
  if (absl::ToUnixSeconds(now) != second) {
    second = absl::ToUnixSeconds(now);
    text = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
  }
  return text;
}

// Makes `head` the status line and the fields, in the memory that it has.
void WriteHead(const HttpAnswer& answer, bool close, bool http_1_1, std::string& head) {
  head.clear();
  absl::StrAppend(&head, "HTTP/1.1 ", answer.status, " ", ReasonPhrase(answer.status),
                  "\r\nDate: ", DateNow(), "\r\n", answer.fields());
  if (answer.status != 204 && answer.status != 304) {
    absl::StrAppend(&head, "Content-Length: ", answer.body.size(), "\r\n");
  }
  if (close) {
    head += "Connection: close\r\n";
  } else if (!http_1_1) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
}

}  // namespace

Connection::Connection(Socket socket, std::shared_ptr<TlsContext> tls,
                       const ConnectionOptions& options, Application& application,
                       std::function<void(Connection&)> on_closed)
    : stream_(std::move(socket), std::move(tls)),
      peer_(PeerAddress(stream_.socket())),
      options_(options),
      application_(application),
      on_closed_(std::move(on_closed)),
      timer_(stream_.get_executor()) {
  input_.resize(kInputBytesInitial);
}

void Connection::Start(Admission admission) {
  SetDeadline(options_.header_timeout);
  if (stream_.is_tls()) {
    Shake(admission);
  } else {
    Begin(admission);
  }
}

void Connection::Shake(Admission admission) {
  stream_.async_handshake([self = shared_from_this(), admission](const error_code& error) {
    if (self->phase_ == Phase::kClosed) {
      return;
    }
    if (error) {
      LogInfo("TLS handshake failed", {{"cause", error.message()}});
      self->Close();
      return;
    }
    self->Begin(admission);
  });
}

void Connection::Begin(Admission admission) {
  if (admission == Admission::kRefuse) {
    RefuseRequest(Failure(503, reason::kUnavailable, "too many connections"));
    return;
  }
  Continue();
}

void Connection::BeginDrain() {
  draining_ = true;
  if (phase_ == Phase::kPausing) {
    Resume();
  } else if (phase_ == Phase::kReading && !request_begun_) {
    // The pending read ends: with bytes, if a request has begun to come by now, else aborted.
    error_code ignored;
    stream_.socket().cancel(ignored);
  }
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) {
    return;
  }
  phase_ = Phase::kClosed;
  if (pending_ != nullptr) {
    pending_->Cancel();
  }
  timer_.cancel();
  error_code ignored;
  stream_.socket().close(ignored);
  on_closed_(*this);
}

// --- Reading ---

void Connection::Continue() {
  phase_ = Phase::kReading;
  size_t consumed = 0;
  const RequestParser::Progress progress = parser_.Read(unread(), consumed);
  request_bytes_ += consumed;
  input_begin_ += consumed;
  input_size_ -= consumed;
  if (progress == RequestParser::Progress::kDone) {
    AnswerRequest();
    return;
  }
  if (progress == RequestParser::Progress::kFailed) {
    RefuseRequest(parser_.failure());
    return;
  }
  if (!request_begun_ && parser_.started()) {
    request_begun_ = true;
    SetDeadline(options_.header_timeout);
  }
  if (peer_finished_ && parser_.started()) {
    RefuseRequest(Failure(400, reason::kMalformedRequest, "the request ends early"));
    return;
  }
  const bool retired = draining_ && !request_begun_ && !stream_.HasInput();
  if (peer_finished_ || retired) {
    Close();
    return;
  }
  StartRead();
}

void Connection::StartRead() {
  if (reading_ || peer_finished_) {
    return;
  }
  if (input_begin_ > 0) {
    std::memmove(input_.data(), input_.data() + input_begin_, input_size_);
    input_begin_ = 0;
  }
  if (input_size_ == input_.size() && input_.size() < RequestParser::kInputBytesMax) {
    input_.resize(RequestParser::kInputBytesMax);
  }
  // A full buffer: a client that sends requests ahead of its answers waits here.
  if (input_size_ == input_.size()) {
    return;
  }
  reading_ = true;
  stream_.async_read_some(asio::buffer(input_.data() + input_size_, input_.size() - input_size_),
                          [self = shared_from_this()](const error_code& error, size_t bytes) {
                            self->reading_ = false;
                            self->OnRead(error, bytes);
                          });
}

void Connection::OnRead(const error_code& error, size_t bytes) {
  if (phase_ == Phase::kClosed) {
    return;
  }
  if (phase_ == Phase::kLingering) {
    if (stream_.is_tls()) {
      return;
    }
    OnLingeringRead(error, bytes);
    return;
  }
  const bool aborted = error == asio::error::operation_aborted;
  if (error && error != asio::error::eof && !aborted) {
    Close();
    return;
  }
  input_size_ += bytes;
  peer_finished_ = error == asio::error::eof;
  if (phase_ == Phase::kReading) {
    Continue();
  } else if (phase_ == Phase::kAnswering) {
    // Reading on is how the client's leaving is noticed.
    if (peer_finished_) {
      SetDeadline(kHalfClosedGrace);
    } else {
      StartRead();
    }
  }
}

// --- Answering ---

void Connection::AnswerRequest() {
  phase_ = Phase::kAnswering;
  ClearDeadline();
  request_read_ = Clock::now();
  HttpRequest request = parser_.TakeRequest();
  request.peer = peer_;
  method_ = request.method;
  http_1_1_ = request.http_1_1;
  keep_alive_ = request.keep_alive;
  pending_ =
      application_.Answer(std::move(request), [self = shared_from_this()](HttpAnswer answer) {
        const auto executor = self->stream_.get_executor();
        asio::post(executor, [self, answer = std::move(answer)]() mutable {
          self->OnAnswer(std::move(answer));
        });
      });
  if (peer_finished_) {
    SetDeadline(kHalfClosedGrace);
  } else {
    StartRead();
  }
}

void Connection::RefuseRequest(const Failure& failure) {
  request_read_ = Clock::now();
  const HttpRequest request = parser_.TakeRequest();
  method_ = request.method;
  http_1_1_ = true;
  keep_alive_ = false;
  Write(application_.Refuse(failure, request));
}

void Connection::OnAnswer(HttpAnswer answer) {
  pending_.reset();
  if (phase_ == Phase::kClosed) {
    answer_ = std::move(answer);
    answer_.status = kClientLeft;
    answer_.cause.clear();
    LogAnswer(0);
    return;
  }
  Write(std::move(answer));
}

// --- Writing ---

void Connection::Write(HttpAnswer answer) {
  phase_ = Phase::kWriting;
  answer_ = std::move(answer);
  close_after_answer_ = answer_.close || !keep_alive_ || draining_;
  WriteHead(answer_, close_after_answer_, http_1_1_, answer_head_);
  const size_t body_bytes = answer_.without_body ? 0 : answer_.body.size();
  SetDeadline(options_.write_timeout + seconds(body_bytes / options_.write_bytes_per_second_min));
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(answer_head_),
                                                     asio::buffer(answer_.body.data(), body_bytes)};
  asio::async_write(stream_, buffers,
                    [self = shared_from_this()](const error_code& error, size_t bytes) {
                      self->OnWritten(error, bytes);
                    });
}

void Connection::OnWritten(const error_code& error, size_t bytes) {
  LogAnswer(bytes);
  // An idle connection keeps no answer.
  answer_.body = std::string();
  if (phase_ == Phase::kClosed) {
    return;
  }
  if (error) {
    Close();
    return;
  }
  if (close_after_answer_) {
    Linger();
    return;
  }
  parser_.Reset();
  request_begun_ = false;
  request_bytes_ = 0;
  if (answer_.pause) {
    phase_ = Phase::kPausing;
    SetDeadline(options_.refused_pause);
    return;
  }
  Resume();
}

void Connection::Resume() {
  SetDeadline(options_.idle_timeout);
  Continue();
}

void Connection::LogAnswer(size_t bytes) const {
  const std::chrono::duration<double, std::milli> duration = Clock::now() - request_read_;
  Log(answer_.cause.empty() ? LogLevel::kInfo : LogLevel::kError, "request",
      {{"id", answer_.request_id},
       {"method", method_},
       {"route", answer_.route},
       {"status", answer_.status},
       {"error_id", answer_.error_id},
       {"cause", answer_.cause},
       {"ms", duration.count()},
       {"bytes", bytes},
       {"traceparent", answer_.traceparent}});
  if (options_.metrics != nullptr) {
    options_.metrics->Record(answer_.route, absl::StrCat(answer_.status),
                             std::chrono::duration<double>(duration).count(), request_bytes_,
                             bytes);
  }
}

// --- Ending ---

void Connection::Linger() {
  phase_ = Phase::kLingering;
  if (peer_finished_) {
    Close();
    return;
  }
  SetDeadline(kLingerTimeout);
  if (stream_.is_tls()) {
    // Reads and drops what comes until the client's own goodbye. A read still under way would be a
    // second one: it is ended first.
    error_code ignored;
    if (reading_) stream_.socket().cancel(ignored);
    stream_.async_shutdown([self = shared_from_this()](const error_code&) { self->Close(); });
    return;
  }
  error_code error;
  stream_.socket().shutdown(Socket::shutdown_send, error);
  input_begin_ = 0;
  input_size_ = 0;
  StartRead();
}

void Connection::OnLingeringRead(const error_code& error, size_t bytes) {
  lingered_bytes_ += bytes;
  if (error || lingered_bytes_ > kLingerBytesMax) {
    Close();
    return;
  }
  StartRead();
}

// --- Time ---

void Connection::SetDeadline(Clock::duration from_now) {
  deadline_ = Clock::now() + from_now;
  if (!timer_armed_ || deadline_ < timer_armed_for_) {
    ArmTimer();
  }
}

void Connection::ArmTimer() {
  timer_armed_ = true;
  timer_armed_for_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->OnTimer();
  });
}

void Connection::OnTimer() {
  timer_armed_ = false;
  if (phase_ == Phase::kClosed || deadline_ == Clock::time_point::max()) {
    return;
  }
  if (Clock::now() < deadline_) {
    ArmTimer();
    return;
  }
  if (phase_ == Phase::kPausing) {
    Resume();
    return;
  }
  Close();
}

}  // namespace relations::gateway
