#include "tests/conformance/rest.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <regex>
#include <set>

#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kJson[] = "application/json; charset=utf-8";
constexpr size_t kErrorBytesMax = 256;

std::set<std::string> NamesOf(const RawAnswer& answer) {
  std::set<std::string> names;
  for (const auto& [name, value] : answer.fields) {
    if (name != "connection") names.insert(name);
  }
  return names;
}

std::string SeverityOf(int status) {
  return status < 500 ? "WARNING" : status == 500 ? "ERROR" : "CRITICAL";
}

// More than any answer of these tests takes.
constexpr size_t kBodyBytesMax = 1 << 20;

std::string Gunzipped(std::string coded) {
  std::string body(kBodyBytesMax, '\0');
  z_stream stream = {};
  // zlib's way to ask for the frame of gzip.
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_in = static_cast<uInt>(coded.size());
  stream.next_out = reinterpret_cast<Bytef*>(body.data());
  stream.avail_out = static_cast<uInt>(body.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  body.resize(stream.total_out);
  inflateEnd(&stream);
  return body;
}

void Replace(const std::string& part, const std::string& by, std::string& text) {
  if (part.empty()) return;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.replace(at, part.size(), by);
  }
}

}  // namespace

std::string RelationsPath(const std::string& id, const std::string& query) {
  return kEntityPath + id + "/relations" + (query.empty() ? "" : "?" + query);
}

std::string RequestText(const std::string& target, const std::string& fields,
                        const std::string& method) {
  return method + " " + target + " HTTP/1.1\r\nHost: relations.example\r\n" + fields + "\r\n";
}

RawAnswer RestClient::Get(const std::string& target, const std::string& fields) {
  RawAnswer answer = Ask(RequestText(target, fields));
  if (answer.field("content-encoding") == "gzip") {
    answer.body = Gunzipped(answer.body);
    answer.fields.erase("content-encoding");
  }
  return answer;
}

RawAnswer RestClient::Ask(const std::string& request, BodyRule rule) {
  if (client_ == nullptr) client_ = std::make_unique<RawClient>(address_);
  std::optional<RawAnswer> answer = client_->Ask(request, rule);
  CAPTURE(request.substr(0, 300));
  REQUIRE(answer.has_value());
  if (answer->field("connection") == "close") client_.reset();
  return *std::move(answer);
}

bool IsUuidV4(const std::string& text) {
  static const std::regex pattern(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  return std::regex_match(text, pattern);
}

void CheckError(const RawAnswer& answer, const ExpectedError& expected, BodyRule rule) {
  CAPTURE(answer.status_line, answer.body);
  CHECK(answer.status == expected.status);
  std::set<std::string> names = {"date",    "cache-control", "vary",         "x-request-id",
                                 "x-error", "x-error-id",    "content-type", "content-length"};
  if (answer.status == 401) names.insert("www-authenticate");
  if (answer.status == 405) names.insert("allow");
  if (answer.status == 429 || answer.status == 503) names.insert("retry-after");
  CHECK(NamesOf(answer) == names);
  CHECK(answer.field("content-type") == kJson);
  CHECK(answer.field("cache-control") == "private, no-cache");
  if (answer.status == 401) CHECK(answer.field("www-authenticate") == "Bearer");
  if (answer.status == 405) CHECK(answer.field("allow") == "GET, HEAD, OPTIONS");
  if (names.count("retry-after") > 0) CHECK(std::atoi(answer.field("retry-after").c_str()) >= 1);
  const std::string message = answer.field("x-error");
  CHECK_FALSE(message.empty());
  CHECK(message.size() <= kErrorBytesMax);
  CHECK(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  CHECK(IsUuidV4(answer.field("x-error-id")));
  if (rule == BodyRule::kNone) return;
  const std::string param = expected.param.empty() ? "" : ",\"param\":\"" + expected.param + "\"";
  CHECK(answer.body == "{\"error\":{\"message\":\"" + message + "\",\"type\":\"" +
                           SeverityOf(expected.status) + "\",\"code\":\"" + expected.code +
                           "\",\"error_id\":\"" + answer.field("x-error-id") + "\"" + param + "}}");
}

void CheckAnswered(const RawAnswer& answer, const std::string& stop_reason) {
  CAPTURE(answer.body);
  REQUIRE(answer.status_line == "HTTP/1.1 200 OK");
  CHECK(NamesOf(answer) == std::set<std::string>{"date", "cache-control", "vary", "x-request-id",
                                                 "x-stop-reason", "content-type", "content-length",
                                                 "etag"});
  CHECK(answer.field("content-type") == kJson);
  CHECK(answer.field("cache-control") == "private, no-cache");
  CHECK(answer.field("vary") == "Authorization, api-key, api-secret, Accept-Encoding");
  CHECK(answer.field("x-stop-reason") == stop_reason);
}

std::string Comparable(const RawAnswer& answer) {
  std::string text = answer.status_line + "\n";
  for (const auto& [name, value] : answer.fields) {
    text += name + ": " + (name == "date" ? "(date)" : value) + "\n";
  }
  text += "\n" + answer.body;
  const auto error_id = answer.fields.find("x-error-id");
  if (error_id != answer.fields.end()) Replace(error_id->second, "(error id)", text);
  Replace(answer.field("x-request-id"), "(request id)", text);
  return text;
}

std::string NodeIds(const RawAnswer& answer) {
  std::string ids;
  const std::string head = "{\"id\":\"";
  const size_t end = answer.body.find("],\"relations\":[");
  for (size_t at = answer.body.find(head); at != std::string::npos && at < end;
       at = answer.body.find(head, at + 1)) {
    const size_t begin = at + head.size();
    ids +=
        (ids.empty() ? "" : " ") + answer.body.substr(begin, answer.body.find('"', begin) - begin);
  }
  return ids;
}

}  // namespace relations
