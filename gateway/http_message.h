// Requests and answers of the HTTP front as plain values, free of any HTTP library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace relations::gateway {

// What became of a request's body.
enum class BodyState {
  kNone,
  // Read to its end: HttpRequest::content. Only on routes that have a use for one.
  kKept,
  // Read to its end and dropped.
  kDrained,
  // Larger than limits::kHttpDrainedBodyBytesMax or, where it has a use, than
  // limits::kIngestBodyBytesMax; not read to its end.
  kTooLarge,
  // Withheld by the client until told to go on (`Expect: 100-continue`), which it is not.
  kNotRead,
};

// One request whose header has been read. Of the header fields only those that mean something here
// are kept; a field that came several times stands there several times, in order.
struct HttpRequest {
  std::string method;
  // As it came: nothing decoded, nothing normalised.
  std::string target;
  bool http_1_1 = false;
  // The client lets the connection live on after the answer.
  bool keep_alive = false;
  BodyState body = BodyState::kNone;
  // The body where it is kKept.
  std::string content;

  // The client's IP address; empty for one on a unix socket.
  std::string peer;

  std::vector<std::string> authorization;
  std::vector<std::string> api_key;
  std::vector<std::string> api_secret;
  std::vector<std::string> request_id;
  std::vector<std::string> traceparent;
  std::vector<std::string> origin;
  std::vector<std::string> accept_encoding;
  std::vector<std::string> if_none_match;
  // `Access-Control-Request-Method` is there: an OPTIONS request asks leave for another.
  bool asks_leave = false;
};

// One answer. The connection adds Date, Content-Length and Connection.
struct HttpAnswer {
  int status = 200;
  std::string body;
  // HEAD: the body is counted in Content-Length and not sent.
  bool without_body = false;
  // The connection ends after this answer.
  bool close = false;
  // The client was told to come back later: its next request is not read before a pause.
  bool pause = false;
  // For the log line: what the client sees of these, and the route as a template.
  std::string request_id;
  std::string error_id;
  std::string traceparent;
  absl::string_view route = "none";
  // What the log alone is told of a fault of ours or of the backend; else empty.
  std::string cause;

  // Appends a header field. `name` is a token of ours; a control character in `value` becomes '?',
  // so no value can end its line.
  void AddField(absl::string_view name, absl::string_view value);
  // The fields added so far, each line ended by CRLF.
  const std::string& fields() const { return fields_; }

 private:
  std::string fields_;
};

// "Not Found" for 404; "Unknown" for a status that this front never sends.
absl::string_view ReasonPhrase(int status);

}  // namespace relations::gateway
