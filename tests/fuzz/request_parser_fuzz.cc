// Bytes of a connection: in one piece or in several they are the same requests, and what is refused
// is refused with a status that a client can understand. The first byte is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/request_parser.h"
#include "tests/fuzz/property.h"

namespace relations::gateway {
namespace {

using fuzz::Require;
using Progress = RequestParser::Progress;

struct Reading {
  std::vector<HttpRequest> requests;
  bool failed = false;
};

Reading ReadAll(absl::string_view bytes, size_t piece) {
  Reading reading;
  RequestParser parser;
  size_t begin = 0;
  size_t end = 0;
  while (true) {
    size_t consumed = 0;
    const absl::string_view unread = bytes.substr(begin, end - begin);
    const Progress progress = parser.Read(unread, consumed);
    Require(consumed <= unread.size(), "no more is consumed than has come");
    begin += consumed;
    if (progress == Progress::kDone) {
      reading.requests.push_back(parser.TakeRequest());
      parser.Reset();
      if (reading.requests.back().body != BodyState::kNone) return reading;
      continue;
    }
    if (progress == Progress::kFailed) {
      const int status = parser.failure().status;
      Require(status == 400 || status == 413 || status == 414 || status == 431,
              "a refusal has one of four statuses");
      reading.failed = true;
      return reading;
    }
    Require(end - begin < RequestParser::kInputBytesMax, "a full buffer is never stuck");
    if (end == bytes.size()) return reading;
    end += std::min(piece, bytes.size() - end);
  }
}

}  // namespace
}  // namespace relations::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace relations::gateway;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // As a connection does, at most a buffer's worth is unread at once.
  const size_t whole = RequestParser::kInputBytesMax / 2;
  const Reading expected = ReadAll(bytes, whole);
  const Reading pieces = ReadAll(bytes, size_t{data[0]} % 32 + 1);
  using relations::fuzz::Require;
  Require(pieces.requests.size() == expected.requests.size(),
          "requests are accepted alike in pieces");
  for (size_t i = 0; i < expected.requests.size(); ++i) {
    Require(pieces.requests[i].target == expected.requests[i].target, "targets are alike");
    Require(pieces.requests[i].body == expected.requests[i].body, "bodies are alike");
    Require(pieces.requests[i].authorization == expected.requests[i].authorization,
            "credentials are alike");
  }
  return 0;
}
