// Asking the REST API in tests, and what is true of every answer of a kind (contract, sections 2
// and 3): the set of headers, their values, the body's form.
#pragma once

#include <memory>
#include <string>

#include "tests/gateway/raw_client.h"

namespace relations {

using gateway::BodyRule;
using gateway::RawAnswer;
using gateway::RawClient;

inline constexpr char kEntityPath[] = "/api/analytics/v1/entity/";

// "/api/analytics/v1/entity/ID/relations" and the query, if any.
std::string RelationsPath(const std::string& id, const std::string& query = "");

// A request as a plain client sends it. `fields`: header lines, each ended by CRLF.
std::string RequestText(const std::string& target, const std::string& fields = "",
                        const std::string& method = "GET");

// A client that keeps its connection as long as the gateway does. No answer fails the test.
class RestClient {
 public:
  explicit RestClient(std::string address) : address_(std::move(address)) {}

  // Decodes a body that is compressed, as a proper client does.
  RawAnswer Get(const std::string& target, const std::string& fields = "");
  RawAnswer Ask(const std::string& request, BodyRule rule = BodyRule::kByLength);
  // True when the last answer was the connection's last.
  bool closed() const { return client_ == nullptr; }

 private:
  const std::string address_;
  std::unique_ptr<RawClient> client_;
};

struct ExpectedError {
  int status = 0;
  std::string code;
  // Empty: the body must have no member "param".
  std::string param;
};

// All that holds for an error: status, its headers and no others, x-error and x-error-id, the body
// byte by byte. `rule` kNone: the answer to HEAD.
void CheckError(const RawAnswer& answer, const ExpectedError& expected,
                BodyRule rule = BodyRule::kByLength);

// All that holds for an answer of relations but its body.
void CheckAnswered(const RawAnswer& answer, const std::string& stop_reason = "complete");

// Status, headers and body as one text, with all that differs between two equal questions made
// equal: the date, the ids.
std::string Comparable(const RawAnswer& answer);

// The ids of `nodes` in an answer, in order, with blanks between.
std::string NodeIds(const RawAnswer& answer);

// A lower-case UUID of version 4.
bool IsUuidV4(const std::string& text);

}  // namespace relations
