// One connection of an HttpClient: opened, asked over and over, ended. All functions run on the
// thread of its io_context; `done` is called there, once for each Open or Ask, unless End came
// first: then never.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "server/access/http_client.h"
#include "server/access/tls_client_context.h"

namespace relations {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Opened = std::function<void(absl::Status status)>;
  using Answered = std::function<void(absl::StatusOr<HttpClient::Answer> answer)>;

  // `tls` null: plain.
  HttpConnection(boost::asio::io_context& io, const HttpUrl& url, TlsClientContext::Context tls,
                 size_t answer_bytes_max);

  // Looks the host up, connects, shakes hands.
  void Open(Opened done);
  void Ask(const HttpClient::Question& question, Answered done);
  void End();

  // True when the peer has said nothing since its last answer and is still there.
  bool IsQuiet();
  // After an answer: the connection may be asked again.
  bool is_reusable() const { return reusable_; }
  // No byte of an answer to the last question has come.
  bool is_unanswered() const { return buffer_.size() == 0 && !answering_; }

 private:
  using Stream = boost::beast::tcp_stream;

  void Connect(const boost::asio::ip::tcp::resolver::results_type& addresses);
  void ShakeHands();
  void Read();
  void TakeAnswer();
  absl::Status Describe(const char* doing, const boost::system::error_code& error) const;
  void FinishOpening(const absl::Status& status);
  void FinishAsking(absl::StatusOr<HttpClient::Answer> answer);

  // Calls `use` with the stream to read from and write to.
  template <typename Use>
  void WithStream(Use use) {
    if (encrypted_.has_value()) {
      use(*encrypted_);
    } else {
      use(plain_);
    }
  }

  const HttpUrl url_;
  const size_t answer_bytes_max_;
  // A connection keeps the context that it began with.
  const TlsClientContext::Context tls_;
  boost::asio::ip::tcp::resolver resolver_;
  Stream plain_;
  std::optional<boost::asio::ssl::stream<Stream&>> encrypted_;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request<boost::beast::http::empty_body> request_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
  Opened opened_;
  Answered answered_;
  bool answering_ = false;
  bool reusable_ = false;
};

}  // namespace relations
