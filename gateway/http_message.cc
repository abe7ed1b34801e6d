#include "gateway/http_message.h"

namespace relations::gateway {
namespace {

// All fields of nearly every answer.
constexpr size_t kFieldsBytes = 640;

}  // namespace

void HttpAnswer::AddField(absl::string_view name, absl::string_view value) {
  if (fields_.empty()) fields_.reserve(kFieldsBytes);
  fields_.append(name.data(), name.size());
  fields_ += ": ";
  for (const char c : value) {
    const bool control = static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
    fields_ += control ? '?' : c;
  }
  fields_ += "\r\n";
}

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unknown";
  }
}

}  // namespace relations::gateway
