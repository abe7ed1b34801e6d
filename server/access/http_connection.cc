#include "server/access/http_connection.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace relations {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr char kUserAgent[] = "relations-server";
constexpr int kHttp11 = 11;
constexpr uint32_t kHeaderBytesMax = 16 << 10;

bool IsIpAddress(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

HttpConnection::HttpConnection(asio::io_context& io, const HttpUrl& url,
                               TlsClientContext::Context tls, size_t answer_bytes_max)
    : url_(url),
      answer_bytes_max_(answer_bytes_max),
      tls_(std::move(tls)),
      resolver_(io),
      plain_(io),
      buffer_(kHeaderBytesMax + answer_bytes_max) {
  if (tls_ != nullptr) encrypted_.emplace(plain_, *tls_);
}

void HttpConnection::Open(Opened done) {
  opened_ = std::move(done);
  resolver_.async_resolve(url_.host, url_.port,
                          [self = shared_from_this()](error_code error, auto addresses) {
                            if (error) {
                              self->FinishOpening(self->Describe("finding the host", error));
                            } else {
                              self->Connect(addresses);
                            }
                          });
}

void HttpConnection::Connect(const asio::ip::tcp::resolver::results_type& addresses) {
  if (opened_ == nullptr) return;
  plain_.async_connect(addresses, [self = shared_from_this()](error_code error, const auto&) {
    if (error) return self->FinishOpening(self->Describe("connecting", error));
    error_code ignored;
    self->plain_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    if (!self->encrypted_.has_value()) return self->FinishOpening(absl::OkStatus());
    self->ShakeHands();
  });
}

void HttpConnection::ShakeHands() {
  if (opened_ == nullptr) return;
  encrypted_->set_verify_callback(asio::ssl::host_name_verification(url_.host));
  // The name tells the service which certificate to show; addresses are no names.
  if (!IsIpAddress(url_.host)) {
    SSL_set_tlsext_host_name(encrypted_->native_handle(), url_.host.c_str());
  }
  encrypted_->async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this()](error_code error) {
        self->FinishOpening(error ? self->Describe("the TLS handshake", error) : absl::OkStatus());
      });
}

void HttpConnection::Ask(const HttpClient::Question& question, Answered done) {
  answered_ = std::move(done);
  answering_ = false;
  reusable_ = false;
  buffer_.clear();
  request_ = {http::verb::get, question.target, kHttp11};
  request_.set(http::field::host, url_.Authority());
  request_.set(http::field::user_agent, kUserAgent);
  request_.set(http::field::accept, "application/json");
  for (const auto& [name, value] : question.fields) request_.set(name, value);
  parser_.emplace();
  parser_->body_limit(answer_bytes_max_);
  parser_->header_limit(kHeaderBytesMax);
  WithStream([this](auto& stream) {
    http::async_write(stream, request_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->FinishAsking(self->Describe("asking", error));
      self->Read();
    });
  });
}

void HttpConnection::Read() {
  if (answered_ == nullptr) return;
  WithStream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t bytes) {
                       self->answering_ = bytes > 0;
                       if (error == http::error::body_limit || error == http::error::header_limit ||
                           error == http::error::buffer_overflow) {
                         self->FinishAsking(absl::ResourceExhaustedError(
                             absl::StrCat(self->url_.Origin(), ": the answer is larger than ",
                                          self->answer_bytes_max_, " bytes")));
                       } else if (error) {
                         self->FinishAsking(self->Describe("reading the answer", error));
                       } else {
                         self->TakeAnswer();
                       }
                     });
  });
}

void HttpConnection::TakeAnswer() {
  // Bytes behind an answer would be taken for the answer to the next question.
  reusable_ = parser_->keep_alive() && buffer_.size() == 0;
  auto message = parser_->release();
  FinishAsking(HttpClient::Answer{message.result_int(), std::move(message.body())});
}

void HttpConnection::End() {
  opened_ = nullptr;
  answered_ = nullptr;
  resolver_.cancel();
  plain_.close();
}

bool HttpConnection::IsQuiet() {
  char byte = 0;
  const ssize_t peeked = recv(plain_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

absl::Status HttpConnection::Describe(const char* doing, const error_code& error) const {
  return absl::UnavailableError(absl::StrCat(url_.Origin(), ": ", doing, ": ", error.message()));
}

void HttpConnection::FinishOpening(const absl::Status& status) {
  if (const Opened done = std::exchange(opened_, nullptr)) done(status);
}

void HttpConnection::FinishAsking(absl::StatusOr<HttpClient::Answer> answer) {
  if (const Answered done = std::exchange(answered_, nullptr)) done(std::move(answer));
}

}  // namespace relations
