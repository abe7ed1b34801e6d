// The request parser: what it reads, what it refuses, in one piece and in any split.
#include "gateway/request_parser.h"

#include <random>

#include "storage/base/limits.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

using Progress = RequestParser::Progress;

// Feeds `text` in pieces of `piece` bytes, as a connection does, until the parser has decided.
Progress Feed(RequestParser& parser, std::string text, size_t piece = std::string::npos,
              std::string* rest = nullptr) {
  std::string unread;
  Progress progress = Progress::kNeedsInput;
  while (progress == Progress::kNeedsInput && !text.empty()) {
    const size_t take =
        std::min({piece, text.size(), RequestParser::kInputBytesMax - unread.size()});
    REQUIRE(take > 0);
    unread += text.substr(0, take);
    text.erase(0, take);
    size_t consumed = 0;
    progress = parser.Read(unread, consumed);
    REQUIRE(consumed <= unread.size());
    unread.erase(0, consumed);
  }
  if (rest != nullptr) *rest = unread + text;
  return progress;
}

TEST_CASE("A request is read the same in one piece and byte by byte") {
  const std::string text =
      "GET /x?y=1 HTTP/1.1\r\nHost: h\r\nAUTHORIZATION:  Bearer a b \r\nApi-Key: k\r\n"
      "api-secret: s1\r\nAPI-SECRET: s2\r\nX-Request-Id: r\r\nTraceParent: t\r\nOrigin: o\r\n"
      "user-id: root\r\ngroups: all\r\n\r\n";
  for (const size_t piece : {text.size(), size_t{1}, size_t{7}}) {
    RequestParser parser;
    std::string rest;
    REQUIRE(Feed(parser, text + "GET /next", piece, &rest) == Progress::kDone);
    CHECK(rest == "GET /next");
    const HttpRequest request = parser.TakeRequest();
    CHECK(request.method == "GET");
    CHECK(request.target == "/x?y=1");
    CHECK(request.http_1_1);
    CHECK(request.keep_alive);
    CHECK(request.body == BodyState::kNone);
    CHECK(request.authorization == std::vector<std::string>{"Bearer a b"});
    CHECK(request.api_key == std::vector<std::string>{"k"});
    CHECK(request.api_secret == std::vector<std::string>{"s1", "s2"});
    CHECK(request.request_id == std::vector<std::string>{"r"});
    CHECK(request.traceparent == std::vector<std::string>{"t"});
    CHECK(request.origin == std::vector<std::string>{"o"});
  }
}

TEST_CASE("A parser reads one request after another") {
  RequestParser parser;
  REQUIRE(Feed(parser, "\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n") == Progress::kDone);
  CHECK(parser.TakeRequest().target == "/1");
  parser.Reset();
  CHECK_FALSE(parser.started());
  REQUIRE(Feed(parser, "\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n", 1) == Progress::kDone);
  CHECK(parser.TakeRequest().target == "/2");
}

TEST_CASE("Keeping alive follows the version and the Connection field") {
  struct Row {
    const char* text;
    bool keep_alive;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    RequestParser parser;
    REQUIRE(Feed(parser, row.text) == Progress::kDone);
    CHECK(parser.TakeRequest().keep_alive == row.keep_alive);
  }
}

TEST_CASE("What two parties could read differently is refused") {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  const std::string texts[] = {
      start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
      start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      start + "Content-Length: 3, 3\r\n\r\nabc",
      start + "Content-Length: +3\r\n\r\nabc",
      start + "Content-Length: -1\r\n\r\n",
      start + "Content-Length: 0x3\r\n\r\nabc",
      start + "Content-Length: 3 4\r\n\r\nabc",
      start + "Content-Length:\r\n\r\n",
      start + "Content-Length: 99999999999999999999\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      start + "Transfer-Encoding: xchunked\r\n\r\n",
      start + "Transfer-Encoding: chunked, identity\r\n\r\n",
      start + "Transfer-Encoding: identity\r\n\r\n",
      start + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      start + "Transfer-Encoding : chunked\r\n\r\n",
      start +
          "Transfer-Encoding:\x0B"
          "chunked\r\n\r\n",
      start + "X: a\r\n b\r\n\r\n",
      start + "Transfer-Encoding:\r\n chunked\r\n\r\n",
      start + " Folded: x\r\n\r\n",
      start + "No colon\r\n\r\n",
      start + ": empty\r\n\r\n",
      start + "Sp ace: x\r\n\r\n",
      start + "X: nul" + std::string(1, '\0') + "\r\n\r\n",
      start + "X: bare\rreturn\r\n\r\n",
      start + "Host: h\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET / HTTP/1.1\nHost: h\n\n",
      "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
      "GET / HTTP/11\r\nHost: h\r\n\r\n",
      "GET / http/1.1\r\nHost: h\r\n\r\n",
      "GET /\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "G\xC3\xA9T / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
  };
  for (const std::string& text : texts) {
    for (const size_t piece : {text.size(), size_t{1}}) {
      // Lines ended by LF alone show as damage only where they come in one piece; a client that
      // trickles them is cut by the timeout.
      if (piece == 1 && text.find("\r\n\r\n") == std::string::npos && text[0] == 'G') continue;
      INFO(text << " in pieces of " << piece);
      RequestParser parser;
      REQUIRE(Feed(parser, text, piece) == Progress::kFailed);
      CHECK(parser.failure().status == 400);
      CHECK(parser.failure().code == "malformed_request");
    }
  }
}

std::string RequestOfSize(size_t header_bytes) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  return head + std::string(header_bytes - head.size() - 4, 'x') + "\r\n\r\n";
}

TEST_CASE("A header of 16 KiB is read, one byte more is 431") {
  for (const size_t piece : {std::string::npos, size_t{1000}}) {
    RequestParser at_limit;
    CHECK(Feed(at_limit, RequestOfSize(limits::kHttpHeaderBytesMax), piece) == Progress::kDone);
    RequestParser past_limit;
    REQUIRE(Feed(past_limit, RequestOfSize(limits::kHttpHeaderBytesMax + 1), piece) ==
            Progress::kFailed);
    CHECK(past_limit.failure().status == 431);
  }
  RequestParser many;
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 4000; ++i) text += "A: b\r\n";
  REQUIRE(Feed(many, text + "\r\n", 100) == Progress::kFailed);
  CHECK(many.failure().status == 431);
}

TEST_CASE("A target of 8 KiB is read, one byte more is 414") {
  const auto request = [](size_t target_bytes) {
    return "GET /" + std::string(target_bytes - 1, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  for (const size_t piece : {std::string::npos, size_t{1000}}) {
    RequestParser at_limit;
    CHECK(Feed(at_limit, request(limits::kHttpUriBytesMax), piece) == Progress::kDone);
    for (const size_t size : {limits::kHttpUriBytesMax + 1, size_t{15000}, size_t{100000}}) {
      RequestParser past_limit;
      REQUIRE(Feed(past_limit, request(size), piece) == Progress::kFailed);
      CHECK(past_limit.failure().status == 414);
    }
  }
}

BodyState BodyOf(const std::string& text, size_t piece = std::string::npos) {
  RequestParser parser;
  REQUIRE(Feed(parser, text, piece) == Progress::kDone);
  return parser.TakeRequest().body;
}

TEST_CASE("A body is read to its end up to 64 KiB") {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  const auto sized = [&](size_t bytes) {
    return head + "Content-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x');
  };
  const std::string chunked = head + "Transfer-Encoding: Chunked\r\n\r\n";
  CHECK(BodyOf(sized(0)) == BodyState::kNone);
  for (const size_t piece : {std::string::npos, size_t{1}}) {
    CHECK(BodyOf(sized(5), piece) == BodyState::kDrained);
    CHECK(BodyOf(chunked + "0\r\n\r\n", piece) == BodyState::kDrained);
    CHECK(BodyOf(chunked + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: Authorization\r\n\r\n",
                 piece) == BodyState::kDrained);
  }
  CHECK(BodyOf(sized(limits::kHttpDrainedBodyBytesMax), 5000) == BodyState::kDrained);
  CHECK(BodyOf(sized(limits::kHttpDrainedBodyBytesMax + 1)) == BodyState::kTooLarge);
  CHECK(BodyOf(chunked + "10000\r\n" + std::string(65536, 'x') + "\r\n0\r\n\r\n", 5000) ==
        BodyState::kTooLarge);
  CHECK(BodyOf(chunked + "FFFFFFFFFFFFFFFF\r\n" + std::string(70000, 'x'), 5000) ==
        BodyState::kTooLarge);
}

TEST_CASE("A chunked body that is badly framed is refused") {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string bodies[] = {"x\r\n\r\n",
                                "3\r\nabcd\r\n0\r\n\r\n",
                                "-1\r\n\r\n",
                                "0x3\r\nabc\r\n0\r\n\r\n",
                                "3 \r\nabc0\r\n\r\n",
                                "FFFFFFFFFFFFFFFFF\r\n",
                                "0\r\nContent-Length: 3\r\n\r\n",
                                "0\r\n bad\r\n\r\n",
                                "3\rx\nabc",
                                ";\r\n\r\n",
                                std::string(20000, '1')};
  for (const std::string& body : bodies) {
    INFO(body.substr(0, 40));
    RequestParser parser;
    REQUIRE(Feed(parser, head + body) == Progress::kFailed);
    CHECK(parser.failure().status == 400);
  }
}

TEST_CASE("Trailers of a body are no header fields") {
  RequestParser parser;
  REQUIRE(Feed(parser,
               "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               "0\r\nAuthorization: Bearer t\r\nHost: other\r\n\r\n") == Progress::kDone);
  CHECK(parser.TakeRequest().authorization.empty());
}

TEST_CASE("A client that waits for leave to send its body is not given it") {
  const std::string fields = "Host: h\r\nExpect: 100-Continue\r\nContent-Length: 10\r\n\r\n";
  CHECK(BodyOf("GET / HTTP/1.1\r\n" + fields) == BodyState::kNotRead);
  CHECK(BodyOf("GET / HTTP/1.0\r\n" + fields + "0123456789") == BodyState::kDrained);
  CHECK(BodyOf("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n") == BodyState::kNone);
}

// Pieces of requests, well and badly formed, put together at random.
std::string RandomRequest(std::mt19937& random) {
  static const char* kPieces[] = {"GET ",
                                  "/x",
                                  " HTTP/1.1",
                                  " HTTP/1.0",
                                  "\r\n",
                                  "\r\n",
                                  "\r\n",
                                  "\r\n\r\n",
                                  "\n",
                                  "\r",
                                  " ",
                                  "\t",
                                  ":",
                                  ",",
                                  ";",
                                  "Host: h\r\n",
                                  "Content-Length: 5\r\n",
                                  "Content-Length: 0\r\n",
                                  "Transfer-Encoding: chunked\r\n",
                                  "Connection: close\r\n",
                                  "X: y\r\n",
                                  "0\r\n",
                                  "0",
                                  "5\r\n",
                                  "hello",
                                  "a;b=c\r\n",
                                  "FFFFFFFFFFFFFFFF\r\n",
                                  "\x80",
                                  "Trailer: t\r\n",
                                  "Expect: 100-continue\r\n"};
  std::string text;
  if (random() % 8 != 0) text = "GET / HTTP/1.1\r\nHost: h\r\n";
  if (random() % 2 != 0) text += "Transfer-Encoding: chunked\r\n\r\n";
  for (size_t i = random() % 16; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
  return text + "\r\n\r\n";
}

TEST_CASE("However a request comes in pieces, it is never read differently") {
  std::mt19937 random(7);
  int done = 0;
  for (int round = 0; round < 30000; ++round) {
    const std::string text = RandomRequest(random);
    INFO(text);
    RequestParser whole;
    std::string whole_rest;
    const Progress expected = Feed(whole, text, std::string::npos, &whole_rest);
    RequestParser pieces;
    std::string pieces_rest;
    const Progress progress = Feed(pieces, text, 1 + random() % 9, &pieces_rest);
    // What is refused in one piece may wait for more in several, but is never accepted.
    REQUIRE((progress == Progress::kDone) == (expected == Progress::kDone));
    if (progress == Progress::kDone) {
      ++done;
      REQUIRE(pieces_rest == whole_rest);
      REQUIRE(pieces.TakeRequest().body == whole.TakeRequest().body);
    }
  }
  CHECK(done > 1000);
}

}  // namespace
}  // namespace relations::gateway
