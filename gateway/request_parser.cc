#include "gateway/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/router.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"

namespace relations::gateway {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

static_assert(RequestParser::kInputBytesMax == limits::kHttpHeaderBytesMax);

// Of the request line besides the target: the longest method, the version, spaces and line end.
constexpr size_t kRequestLineExtraBytesMax = 64;
// However little of a chunked body is outstanding, "0\r\n\r\n" is. Beast asserts that it is never
// given less of the last chunk.
constexpr size_t kChunkedEndBytesMin = 5;

absl::string_view View(BeastView text) { return {text.data(), text.size()}; }

// The parser's events, kept as an HttpRequest and the counts that the checks need.
class EventSink : public http::basic_parser<true> {
 public:
  EventSink() {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
    eager(false);
  }

  HttpRequest request;
  int hosts = 0;
  int content_lengths = 0;
  int transfer_encodings = 0;
  bool listed_length = false;
  bool chunked_only = false;
  bool waits_for_leave = false;
  bool keeps_body = false;

 private:
  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       error_code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    request.http_1_1 = version == 11;
  }

  void on_response_impl(int, BeastView, int, error_code&) override {}

  void on_field_impl(http::field name, BeastView name_text, BeastView value_text,
                     error_code&) override {
    // Trailers of a chunked body come here too and mean nothing.
    if (is_header_done()) {
      return;
    }
    const absl::string_view value = View(value_text);
    switch (name) {
      case http::field::host:
        ++hosts;
        return;
      case http::field::content_length:
        ++content_lengths;
        listed_length = listed_length || absl::StrContains(value, ',');
        return;
      case http::field::transfer_encoding:
        ++transfer_encodings;
        chunked_only = absl::EqualsIgnoreCase(value, "chunked");
        return;
      case http::field::expect:
        waits_for_leave = absl::EqualsIgnoreCase(value, "100-continue");
        return;
      case http::field::authorization:
        request.authorization.emplace_back(value);
        return;
      case http::field::origin:
        request.origin.emplace_back(value);
        return;
      case http::field::accept_encoding:
        request.accept_encoding.emplace_back(value);
        return;
      case http::field::if_none_match:
        request.if_none_match.emplace_back(value);
        return;
      case http::field::access_control_request_method:
        request.asks_leave = true;
        return;
      default:
        KeepByName(View(name_text), value);
    }
  }

  // Fields that Beast has no number for.
  void KeepByName(absl::string_view name, absl::string_view value) {
    if (absl::EqualsIgnoreCase(name, "api-key")) {
      request.api_key.emplace_back(value);
    } else if (absl::EqualsIgnoreCase(name, "api-secret")) {
      request.api_secret.emplace_back(value);
    } else if (absl::EqualsIgnoreCase(name, "x-request-id")) {
      request.request_id.emplace_back(value);
    } else if (absl::EqualsIgnoreCase(name, "traceparent")) {
      request.traceparent.emplace_back(value);
    }
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(BeastView body, error_code&) override { return Keep(body); }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    return Keep(body);
  }
  void on_finish_impl(error_code&) override {}

  // The content passes its limit by one piece of input at most: ReadBody looks after each.
  std::size_t Keep(BeastView body) {
    if (keeps_body) request.content.append(body.data(), body.size());
    return body.size();
  }
};

// True when a line of `lines` (whole header lines) goes on in the next one.
bool HasFoldedLine(absl::string_view lines) {
  return absl::StrContains(lines, "\n ") || absl::StrContains(lines, "\n\t");
}

Failure Malformed(absl::string_view message) {
  return Failure(400, reason::kMalformedRequest, message);
}

}  // namespace

struct RequestParser::State {
  // Emplaced anew for each request: a Beast parser reads one message.
  std::optional<EventSink> sink;
  std::optional<Failure> failure;
  size_t header_bytes = 0;
  size_t body_bytes = 0;
  bool request_line_read = false;

  size_t BodyBytesMax() const {
    return sink->keeps_body ? limits::kIngestBodyBytesMax : limits::kHttpDrainedBodyBytesMax;
  }
  Progress Fail(Failure why) {
    failure.emplace(std::move(why));
    return Progress::kFailed;
  }
  std::optional<Failure> CheckHeader() const;
  Progress ReadHeader(absl::string_view input, size_t& consumed);
  Progress BeginBody();
  Progress ReadBody(absl::string_view input, size_t& consumed);
};

RequestParser::RequestParser() : state_(std::make_unique<State>()) { Reset(); }
RequestParser::~RequestParser() = default;

void RequestParser::Reset() {
  state_->sink.emplace();
  state_->failure.reset();
  state_->header_bytes = 0;
  state_->body_bytes = 0;
  state_->request_line_read = false;
}

bool RequestParser::started() const { return state_->header_bytes > 0 || state_->sink->got_some(); }

HttpRequest RequestParser::TakeRequest() { return std::move(state_->sink->request); }

const Failure& RequestParser::failure() const { return *state_->failure; }

RequestParser::Progress RequestParser::Read(absl::string_view input, size_t& consumed) {
  consumed = 0;
  // Empty lines before a request are tolerated (RFC 9112, section 2.2).
  while (!started() && absl::StartsWith(input.substr(consumed), "\r\n")) consumed += 2;
  if (input.size() == consumed || (!started() && input.substr(consumed) == "\r")) {
    return Progress::kNeedsInput;
  }
  if (!state_->sink->is_header_done()) {
    const Progress progress = state_->ReadHeader(input, consumed);
    if (progress != Progress::kDone) return progress;
    const Progress begun = state_->BeginBody();
    if (begun != Progress::kNeedsInput) return begun;
  }
  return state_->ReadBody(input, consumed);
}

// kDone: the header is whole.
RequestParser::Progress RequestParser::State::ReadHeader(absl::string_view input,
                                                         size_t& consumed) {
  const absl::string_view unread = input.substr(consumed);
  if (!request_line_read) {
    constexpr size_t kLineMax = limits::kHttpUriBytesMax + kRequestLineExtraBytesMax;
    const size_t line_end = unread.substr(0, kLineMax).find('\n');
    if (line_end == absl::string_view::npos && unread.size() >= kLineMax) {
      return Fail(Failure(414, reason::kUriTooLong, "the request target is too long"));
    }
  }
  error_code error;
  const size_t read = sink->put(boost::asio::const_buffer(unread.data(), unread.size()), error);
  consumed += read;
  header_bytes += read;
  request_line_read = header_bytes > 0;
  if (error && error != http::error::need_more) {
    return Fail(Malformed(absl::StrCat("the request is not HTTP/1.1: ", error.message())));
  }
  if (sink->request.target.size() > limits::kHttpUriBytesMax) {
    return Fail(Failure(414, reason::kUriTooLong, "the request target is too long"));
  }
  const bool whole = sink->is_header_done();
  const size_t pending = whole ? 0 : unread.size() - read;
  if (header_bytes + pending > limits::kHttpHeaderBytesMax ||
      (!whole && header_bytes + pending == limits::kHttpHeaderBytesMax)) {
    return Fail(Failure(431, reason::kHeadersTooLarge, "the request header is too large"));
  }
  if (HasFoldedLine(unread.substr(0, read))) {
    return Fail(Malformed("the request folds a header line"));
  }
  return whole ? Progress::kDone : Progress::kNeedsInput;
}

std::optional<Failure> RequestParser::State::CheckHeader() const {
  const EventSink& seen = *sink;
  if (seen.content_lengths > 1 || seen.listed_length) {
    return Malformed("the request has more than one Content-Length");
  }
  if (seen.transfer_encodings > 0 && seen.content_lengths > 0) {
    return Malformed("the request has both Content-Length and Transfer-Encoding");
  }
  if (seen.transfer_encodings > 1 || (seen.transfer_encodings == 1 && !seen.chunked_only)) {
    return Malformed("the request has a Transfer-Encoding other than chunked");
  }
  if (seen.transfer_encodings == 1 && !seen.request.http_1_1) {
    return Malformed("the request has a Transfer-Encoding in HTTP/1.0");
  }
  if (seen.hosts > 1 || (seen.hosts == 0 && seen.request.http_1_1)) {
    return Malformed("the request must have one Host");
  }
  return std::nullopt;
}

// kNeedsInput: a body is to be read. Beast's own state after the header says whether there is one.
RequestParser::Progress RequestParser::State::BeginBody() {
  if (const std::optional<Failure> fault = CheckHeader()) {
    return Fail(*fault);
  }
  HttpRequest& request = sink->request;
  request.keep_alive = sink->keep_alive();
  if (sink->is_done()) {
    request.body = BodyState::kNone;
    return Progress::kDone;
  }
  sink->keeps_body = TakesBody(request.method, request.target);
  const auto length = sink->content_length();
  if (length && *length > BodyBytesMax()) {
    request.body = BodyState::kTooLarge;
    return Progress::kDone;
  }
  // A client that waits for leave to send a body that has a use sends it after a while.
  if (sink->waits_for_leave && request.http_1_1 && !sink->keeps_body) {
    request.body = BodyState::kNotRead;
    return Progress::kDone;
  }
  return Progress::kNeedsInput;
}

RequestParser::Progress RequestParser::State::ReadBody(absl::string_view input, size_t& consumed) {
  HttpRequest& request = sink->request;
  error_code error;
  while (!sink->is_done()) {
    const absl::string_view unread = input.substr(consumed);
    if (unread.size() < (sink->chunked() ? kChunkedEndBytesMin : 1)) {
      return Progress::kNeedsInput;
    }
    const size_t read = sink->put(boost::asio::const_buffer(unread.data(), unread.size()), error);
    consumed += read;
    body_bytes += read;
    if (error && error != http::error::need_more) {
      return Fail(Malformed("the request body is badly framed"));
    }
    // Counts the framing of chunks too, for which a body that is kept has room of its own.
    const size_t framing = sink->keeps_body ? limits::kHttpDrainedBodyBytesMax : 0;
    if (body_bytes > BodyBytesMax() + framing || request.content.size() > BodyBytesMax()) {
      request.body = BodyState::kTooLarge;
      return Progress::kDone;
    }
    if (error == http::error::need_more && unread.size() - read >= kInputBytesMax) {
      return Fail(Malformed("the request body is badly framed"));
    }
    if (error == http::error::need_more) {
      return Progress::kNeedsInput;
    }
  }
  request.body = sink->keeps_body ? BodyState::kKept : BodyState::kDrained;
  return Progress::kDone;
}

}  // namespace relations::gateway
