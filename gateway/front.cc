#include "gateway/front.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "gateway/answer_writer.h"
#include "gateway/call_metadata.h"
#include "gateway/content_coding.h"
#include "gateway/entity_tag.h"
#include "gateway/openapi.h"
#include "gateway/report_json.h"
#include "gateway/request_parameters.h"
#include "gateway/router.h"
#include "gateway/static_document.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr char kAllowedMethods[] = "GET, HEAD, OPTIONS";
constexpr char kIngestMethods[] = "POST, OPTIONS";
constexpr char kAcknowledged[] = R"({"message":"acknowledged"})";
constexpr char kCorsAllowedHeaders[] =
    "authorization, api-key, api-secret, accept, content-type, user-agent";
constexpr char kCorsExposedHeaders[] =
    "x-error, x-error-id, x-stop-reason, retry-after, x-request-id, etag";
constexpr char kCorsMaxAgeSeconds[] = "600";
// The document changes with the program alone.
constexpr char kPublicCaching[] = "public, max-age=300";
constexpr char kCredentialHeaders[] = "Authorization, api-key, api-secret";

// What of a request its answer needs.
struct Exchange {
  std::string request_id;
  // As it came, where it is well formed.
  std::string traceparent;
  // The client's IP address.
  std::string peer;
  RouteKind route = RouteKind::kUnknown;
  bool is_head = false;
  bool close = false;
  // The request's origin where it is an allowed one, else empty.
  std::string origin;
  std::vector<std::string> accept_encoding;
  std::vector<std::string> if_none_match;
};

const char* MethodsOf(RouteKind route) {
  return IsIngest(route) ? kIngestMethods : kAllowedMethods;
}

// What an answer depends on: the client's credentials, and the codings that it accepts; or these
// alone, so that any cache may keep it.
enum class Variants { kOne, kCodings, kPublic };

class Front : public Application {
 public:
  Front(FrontOptions options, Upstream& upstream, std::unique_ptr<AnswerWriter> writer,
        StaticDocument openapi)
      : options_(std::move(options)),
        upstream_(upstream),
        writer_(std::move(writer)),
        openapi_(std::move(openapi)) {}

  std::shared_ptr<PendingCall> Answer(HttpRequest request, Respond respond) override;
  HttpAnswer Refuse(const Failure& failure, const HttpRequest& request) override;
  void BeginDrain() override { draining_ = true; }
  void WaitUntilIdle() override { upstream_.WaitUntilIdle(); }

 private:
  Exchange MakeExchange(const HttpRequest& request, RouteKind route) const;
  HttpAnswer Begin(const Exchange& exchange, Variants variants = Variants::kOne) const;
  HttpAnswer Fail(const Exchange& exchange, const Failure& failure) const;
  HttpAnswer AnswerOptions(const Exchange& exchange, const HttpRequest& request) const;
  HttpAnswer AnswerProbe(const Exchange& exchange) const;
  HttpAnswer AnswerOpenApi(const Exchange& exchange, const HttpRequest& request) const;
  std::shared_ptr<PendingCall> AnswerReady(Exchange exchange, Respond respond);
  std::shared_ptr<PendingCall> AskForRelations(Exchange exchange, const Route& route,
                                               HttpRequest& request, Respond respond);
  HttpAnswer AnswerRelations(const Exchange& exchange,
                             const absl::StatusOr<RelationsQuestion>& question,
                             const RpcResult& result) const;
  std::shared_ptr<PendingCall> TakeReport(Exchange exchange, const HttpRequest& request,
                                          Respond respond);
  HttpAnswer AnswerReport(const Exchange& exchange, const absl::Status& body,
                          const RpcResult& result) const;
  // Fail, with what the log is to know of a call that failed, or of a fault of the backend's
  // answer.
  HttpAnswer FailCall(const Exchange& exchange, const Failure& failure,
                      const RpcFailure& rpc) const;
  HttpAnswer FailHere(const Exchange& exchange, std::string cause) const;
  absl::StatusOr<HttpAnswer> Negotiate(const Exchange& exchange, RestAnswer rest) const;

  const FrontOptions options_;
  Upstream& upstream_;
  const std::unique_ptr<AnswerWriter> writer_;
  const StaticDocument openapi_;
  std::atomic<bool> draining_ = false;
};

Exchange Front::MakeExchange(const HttpRequest& request, RouteKind route) const {
  Exchange exchange;
  exchange.request_id = RequestIdOf(request);
  exchange.peer = request.peer;
  if (request.traceparent.size() == 1 && IsTraceParent(request.traceparent.front())) {
    exchange.traceparent = request.traceparent.front();
  }
  exchange.route = route;
  exchange.is_head = request.method == "HEAD";
  exchange.close = request.body != BodyState::kNone && request.body != BodyState::kKept;
  if (request.origin.size() == 1 &&
      std::count(options_.cors_origins.begin(), options_.cors_origins.end(),
                 request.origin.front()) > 0) {
    exchange.origin = request.origin.front();
  }
  return exchange;
}

// An answer with the fields that every answer on the route has.
HttpAnswer Front::Begin(const Exchange& exchange, Variants variants) const {
  HttpAnswer answer;
  answer.without_body = exchange.is_head;
  answer.close = exchange.close;
  answer.request_id = exchange.request_id;
  answer.traceparent = exchange.traceparent;
  answer.route = RouteTemplate(exchange.route);
  const bool is_public = variants == Variants::kPublic;
  answer.AddField("Cache-Control", is_public ? kPublicCaching : "private, no-cache");
  answer.AddField("Vary", absl::StrCat(is_public ? "" : kCredentialHeaders,
                                       variants == Variants::kCodings ? ", " : "",
                                       variants == Variants::kOne ? "" : "Accept-Encoding",
                                       options_.cors_origins.empty() ? "" : ", Origin"));
  answer.AddField("x-request-id", exchange.request_id);
  if (!exchange.origin.empty()) {
    answer.AddField("Access-Control-Allow-Origin", exchange.origin);
    answer.AddField("Access-Control-Expose-Headers", kCorsExposedHeaders);
  }
  return answer;
}

HttpAnswer Front::Fail(const Exchange& exchange, const Failure& failure) const {
  HttpAnswer answer = Begin(exchange);
  WriteFailure(failure, answer);
  if (failure.status == 405) {
    answer.AddField("Allow", MethodsOf(exchange.route));
  }
  return answer;
}

HttpAnswer Front::Refuse(const Failure& failure, const HttpRequest& request) {
  Exchange exchange = MakeExchange(request, RouteKind::kUnknown);
  exchange.close = true;
  return Fail(exchange, failure);
}

std::shared_ptr<PendingCall> Front::Answer(HttpRequest request, Respond respond) {
  const Route route = MatchRoute(request.target);
  const Exchange exchange = MakeExchange(request, route.kind);
  const auto fail = [&](const Failure& failure) {
    respond(Fail(exchange, failure));
    return nullptr;
  };
  const bool options = request.method == "OPTIONS";
  if (route.kind == RouteKind::kMalformed || (route.kind == RouteKind::kServer && !options)) {
    return fail(Failure(400, reason::kMalformedRequest, "the request target is not a path"));
  }
  if (route.kind == RouteKind::kUnknown) {
    return fail(Failure(404, reason::kRouteNotFound, "no such route"));
  }
  const bool allowed = IsIngest(route.kind) ? request.method == "POST"
                                            : request.method == "GET" || request.method == "HEAD";
  if (!options && !allowed) {
    return fail(Failure(405, reason::kMethodNotAllowed, "the method is not allowed here"));
  }
  if (request.body == BodyState::kTooLarge) {
    return fail(Failure(413, reason::kBodyTooLarge, "the request body is too large"));
  }
  if (options) {
    respond(AnswerOptions(exchange, request));
    return nullptr;
  }
  switch (route.kind) {
    case RouteKind::kReady:
      return AnswerReady(exchange, std::move(respond));
    case RouteKind::kOpenApi:
      respond(AnswerOpenApi(exchange, request));
      return nullptr;
    case RouteKind::kReportEntity:
    case RouteKind::kReportAssociation:
    case RouteKind::kReportBatch:
      return TakeReport(exchange, request, std::move(respond));
    case RouteKind::kRelations:
      return AskForRelations(exchange, route, request, std::move(respond));
    default:
      respond(AnswerProbe(exchange));
      return nullptr;
  }
}

HttpAnswer Front::AnswerOptions(const Exchange& exchange, const HttpRequest& request) const {
  HttpAnswer answer = Begin(exchange);
  answer.status = 204;
  answer.AddField("Allow", MethodsOf(exchange.route));
  if (!exchange.origin.empty() && request.asks_leave) {
    answer.AddField("Access-Control-Allow-Methods", MethodsOf(exchange.route));
    answer.AddField("Access-Control-Allow-Headers", kCorsAllowedHeaders);
    answer.AddField("Access-Control-Max-Age", kCorsMaxAgeSeconds);
  }
  return answer;
}

HttpAnswer Front::AnswerProbe(const Exchange& exchange) const {
  HttpAnswer answer = Begin(exchange);
  answer.AddField("Content-Type", "text/plain; charset=utf-8");
  answer.body = "ok\n";
  return answer;
}

HttpAnswer Front::AnswerOpenApi(const Exchange& exchange, const HttpRequest& request) const {
  const StaticDocument::Form& form = openapi_.FormFor(request.accept_encoding);
  HttpAnswer answer = Begin(exchange, Variants::kPublic);
  answer.AddField("ETag", form.tag);
  if (NamesTag(request.if_none_match, form.tag)) {
    answer.status = 304;
    return answer;
  }
  answer.AddField("Content-Type", "application/json; charset=utf-8");
  if (form.coding != ContentCoding::kIdentity) {
    answer.AddField("Content-Encoding", CodingName(form.coding));
  }
  answer.body = form.body;
  return answer;
}

std::shared_ptr<PendingCall> Front::AnswerReady(Exchange exchange, Respond respond) {
  if (draining_) {
    respond(Fail(exchange, Failure(503, reason::kUnavailable, "the gateway is going down")));
    return nullptr;
  }
  return upstream_.CheckHealth([this, exchange = std::move(exchange),
                                respond = std::move(respond)](const RpcResult& result) {
    respond(result.failure
                ? Fail(exchange, Failure(503, reason::kUnavailable, "the backend is not ready"))
                : AnswerProbe(exchange));
  });
}

std::shared_ptr<PendingCall> Front::AskForRelations(Exchange exchange, const Route& route,
                                                    HttpRequest& request, Respond respond) {
  exchange.accept_encoding = std::move(request.accept_encoding);
  exchange.if_none_match = std::move(request.if_none_match);
  auto question = ParseRelationsQuestion(route.id, route.query);
  if (options_.failures != nullptr) {
    if (const int seconds = options_.failures->SecondsToWait(exchange.peer); seconds > 0) {
      Failure failure(429, reason::kRateLimited, "too many failed authentications");
      failure.retry_after_s = seconds;
      respond(Fail(exchange, failure));
      return nullptr;
    }
  }
  RelationsCall call;
  call.metadata = CallMetadata(request, exchange.request_id);
  if (question.ok()) {
    call.id = question->id;
    call.limit = question->limit;
    call.levels = question->levels;
    call.types = question->types;
  } else {
    call.limit = -1;
  }
  return upstream_.GetRelations(
      call, [this, exchange = std::move(exchange), question = std::move(question),
             respond = std::move(respond)](const RpcResult& result) {
        HttpAnswer answer = AnswerRelations(exchange, question, result);
        if (answer.status == 401 && options_.failures != nullptr) {
          options_.failures->Count(exchange.peer);
        }
        if (!result.rate_limit.empty()) {
          answer.AddField("RateLimit-Limit", result.rate_limit);
          answer.AddField("RateLimit-Remaining", result.rate_remaining);
          answer.AddField("RateLimit-Reset", result.rate_reset);
        }
        respond(std::move(answer));
      });
}

HttpAnswer Front::FailCall(const Exchange& exchange, const Failure& failure,
                           const RpcFailure& rpc) const {
  HttpAnswer answer = Fail(exchange, failure);
  // A call cancelled from this side is no fault: its client has left.
  const bool client_left = rpc.code == absl::StatusCode::kCancelled && !rpc.from_service;
  if (failure.status >= 500 && !client_left) {
    answer.cause = absl::StrCat(absl::StatusCodeToString(rpc.code), ": ", rpc.message);
  }
  return answer;
}

HttpAnswer Front::FailHere(const Exchange& exchange, std::string cause) const {
  HttpAnswer answer = Fail(exchange, Failure(500, reason::kInternal, "internal error"));
  answer.cause = std::move(cause);
  return answer;
}

std::shared_ptr<PendingCall> Front::TakeReport(Exchange exchange, const HttpRequest& request,
                                               Respond respond) {
  IngestCall call;
  call.metadata = CallMetadata(request, exchange.request_id);
  // A body at fault is sent as an empty request, which the server refuses after it has judged the
  // credentials: strangers learn nothing of their bodies.
  absl::Status body;
  const auto take = [&](const char* method, const auto& message) {
    call.method = method;
    body = message.status();
    if (message.ok()) call.request = message->SerializeAsString();
  };
  switch (exchange.route) {
    case RouteKind::kReportEntity:
      take("ReportEntity", ReadEntityReport(request.content));
      break;
    case RouteKind::kReportAssociation:
      take("ReportAssociation", ReadAssociationReport(request.content));
      break;
    default:
      take("ReportBatch", ReadReportBatch(request.content));
  }
  return upstream_.Ingest(
      call, [this, exchange = std::move(exchange), body, respond = std::move(respond)](
                const RpcResult& result) { respond(AnswerReport(exchange, body, result)); });
}

HttpAnswer Front::AnswerReport(const Exchange& exchange, const absl::Status& body,
                               const RpcResult& result) const {
  if (result.failure) {
    Failure failure = FailureOfCall(*result.failure);
    if (!body.ok() && failure.status == 400) {
      const std::string error_id = failure.error_id;
      failure = FailureOfParameter(body);
      failure.error_id = error_id;
    }
    return FailCall(exchange, failure, *result.failure);
  }
  if (!body.ok()) return FailHere(exchange, "the backend took a report that is not valid");
  HttpAnswer answer = Begin(exchange);
  answer.status = 202;
  answer.AddField("Content-Type", "application/json; charset=utf-8");
  answer.body = kAcknowledged;
  return answer;
}

HttpAnswer Front::AnswerRelations(const Exchange& exchange,
                                  const absl::StatusOr<RelationsQuestion>& question,
                                  const RpcResult& result) const {
  if (result.failure) {
    const RpcFailure& rpc = *result.failure;
    Failure failure = FailureOfCall(rpc);
    if (!question.ok() && failure.status == 400) {
      // The id stays the server's: its log has it.
      const std::string error_id = failure.error_id;
      failure = FailureOfParameter(question.status());
      failure.error_id = error_id;
    }
    HttpAnswer answer = FailCall(exchange, failure, rpc);
    answer.pause = failure.status == 503;
    return answer;
  }
  absl::StatusOr<RestAnswer> written =
      question.ok() ? writer_->Write(result.answer, question->details)
                    : absl::InternalError("the backend answered a request that is not valid");
  absl::StatusOr<HttpAnswer> answer =
      written.ok() ? Negotiate(exchange, *std::move(written)) : written.status();
  if (!answer.ok()) return FailHere(exchange, answer.status().ToString());
  return *std::move(answer);
}

// The answer in the coding that the client asks for, or 304 when the client has it already.
absl::StatusOr<HttpAnswer> Front::Negotiate(const Exchange& exchange, RestAnswer rest) const {
  const ContentCoding coding = ChooseCoding(exchange.accept_encoding, rest.json.size());
  const std::string tag = EntityTagOf(rest.json, rest.stop_reason, coding);
  HttpAnswer answer = Begin(exchange, Variants::kCodings);
  answer.AddField("ETag", tag);
  answer.AddField("x-stop-reason", rest.stop_reason);
  if (NamesTag(exchange.if_none_match, tag)) {
    answer.status = 304;
    return answer;
  }
  answer.AddField("Content-Type", "application/json; charset=utf-8");
  if (coding != ContentCoding::kIdentity) {
    answer.AddField("Content-Encoding", CodingName(coding));
  }
  ASSIGN_OR_RETURN(answer.body, EncodeBody(coding, std::move(rest.json)));
  return answer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Application>> MakeFront(FrontOptions options, Upstream& upstream) {
  ASSIGN_OR_RETURN(std::unique_ptr<AnswerWriter> writer, MakeAnswerWriter());
  ASSIGN_OR_RETURN(const std::string description, MakeOpenApi());
  ASSIGN_OR_RETURN(StaticDocument openapi, StaticDocument::Make(description));
  return absl::make_unique<Front>(std::move(options), upstream, std::move(writer),
                                  std::move(openapi));
}

}  // namespace relations::gateway
