// What of a request's header reaches the server.
#include "gateway/call_metadata.h"

#include "gateway/uuid.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

using Metadata = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("Credentials travel as they came, repeated ones twice") {
  HttpRequest request;
  request.authorization = {"Bearer abc"};
  request.api_key = {"k1", "k2", "k3"};
  request.api_secret = {""};
  CHECK(CallMetadata(request, "r-1") == Metadata{{"authorization", "Bearer abc"},
                                                 {"api-key", "k1"},
                                                 {"api-key", "k2"},
                                                 {"api-secret", ""},
                                                 {"x-request-id", "r-1"}});
}

TEST_CASE("What gRPC cannot carry becomes what the server refuses") {
  for (const std::string& value :
       {std::string("Bearer \xC3\xA9"), std::string("a\tb"), std::string(4096, 'x')}) {
    HttpRequest request;
    request.authorization = {value};
    request.api_key = {value};
    request.api_secret = {value};
    CHECK(CallMetadata(request, "r") == Metadata{{"authorization", "malformed"},
                                                 {"api-key", ""},
                                                 {"api-secret", ""},
                                                 {"x-request-id", "r"}});
  }
}

TEST_CASE("The longest credential travels, and the longest token of three parts if it is alone") {
  HttpRequest request;
  request.authorization = {"Bearer " + std::string(512, 'x')};
  CHECK(CallMetadata(request, "r")[0].second == request.authorization[0]);
  const std::string token = "Bearer h.c." + std::string(8192 - 4, 'x');
  request.authorization = {token};
  CHECK(CallMetadata(request, "r")[0].second == token);
  request.authorization = {token, token};
  CHECK(CallMetadata(request, "r")[0].second == "malformed");
  CHECK(CallMetadata(request, "r")[1].second == "malformed");
  request.authorization = {token + std::string(64, 'x')};
  CHECK(CallMetadata(request, "r")[0].second == "malformed");
}

TEST_CASE("A client's request id is kept in its proper form and made otherwise") {
  const auto id_of = [](std::vector<std::string> values) {
    HttpRequest request;
    request.request_id = std::move(values);
    return RequestIdOf(request);
  };
  const std::string longest(64, 'r');
  CHECK(id_of({"my/id:7"}) == "my/id:7");
  CHECK(id_of({longest}) == longest);
  CHECK(IsUuid(id_of({})));
  CHECK(IsUuid(id_of({""})));
  CHECK(IsUuid(id_of({longest + "r"})));
  CHECK(IsUuid(id_of({"two words"})));
  CHECK(IsUuid(id_of({"caf\xC3\xA9"})));
  CHECK(IsUuid(id_of({"one", "two"})));
}

TEST_CASE("A trace context travels when it is well formed and alone") {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  HttpRequest request;
  request.traceparent = {good};
  CHECK(CallMetadata(request, "r").back() ==
        std::pair<std::string, std::string>("traceparent", good));
  request.traceparent = {good, good};
  CHECK(CallMetadata(request, "r").back().first == "x-request-id");

  CHECK(IsTraceParent(good));
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz"}) {
    INFO(bad);
    CHECK_FALSE(IsTraceParent(bad));
  }
}

}  // namespace
}  // namespace relations::gateway
