#include "server/ingest_service.h"

#include <utility>

#include "server/ingest_reporting.h"
#include "storage/base/feed_limits.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/ingest/withdrawal.h"

namespace relations {
namespace {

constexpr char kAdminRole[] = "admin";

// A method from `work`, which is absl::Status(Call&, const Request&, size_t bytes).
template <typename Request, typename Response, typename Work>
UnaryMethod Method(const char* name, std::vector<std::string> roles, Work work) {
  return {
      name, std::move(roles),
      [work](Call& call, const grpc::ByteBuffer& bytes, grpc::ByteBuffer& answer) -> absl::Status {
        Request request;
        RETURN_IF_ERROR(ParseRequest(bytes, request));
        RETURN_IF_ERROR(work(call, request, bytes.Length()));
        ASSIGN_OR_RETURN(answer, SerialiseAnswer(Response()));
        return absl::OkStatus();
      },
      /*writes=*/true};
}

// A method that stores one report.
template <typename Request>
UnaryMethod ReportMethod(const char* name, std::vector<std::string> roles, WriteQueue* queue) {
  return Method<Request, v1::ReportResponse>(
      name, std::move(roles),
      [queue](Call& call, const Request& request, size_t bytes) -> absl::Status {
        ReportReader reader(ReporterOf(call.principal()));
        RETURN_IF_ERROR(reader.Add(request));
        call.notes().subject = reader.subject();
        return queue->Apply(std::move(reader.mutations()), QueuedBytes(bytes));
      });
}

// What a request of an administrator is about, for the log.
template <typename Request>
std::string SubjectOf(const Request& request) {
  const std::string& id =
      request.has_relation() ? request.relation().source() : request.entity_id();
  return id.substr(0, limits::kEntityIdBytesMax);
}

}  // namespace

IngestService::IngestService(const CallEnvironment& environment, const IngestBackends& backends,
                             const IngestOptions& options)
    : environment_(environment),
      feed_(backends.feed),
      ingest_roles_(options.ingest_roles),
      read_roles_(options.read_roles),
      report_streams_({limits::kStreamsMax, limits::kStreamsMax}),
      watches_({limits::kWatchesMax, limits::kWatchesOfOneMax}),
      report_backends_{backends.queue, &report_streams_, &reports_answered_, &reports_refused_},
      watch_backends_{backends.feed, &watches_, options.watch_heartbeat, options.watch_patience,
                      &changes_sent_},
      report_entity_(ReportMethod<v1::EntityReport>("ReportEntity", ingest_roles_, backends.queue)),
      report_association_(
          ReportMethod<v1::AssociationReport>("ReportAssociation", ingest_roles_, backends.queue)),
      report_batch_(Method<v1::ReportBatchRequest, v1::ReportResponse>(
          "ReportBatch", ingest_roles_,
          [queue = backends.queue](Call& call, const v1::ReportBatchRequest& request,
                                   size_t bytes) -> absl::Status {
            ASSIGN_OR_RETURN(Mutations mutations, ReadReports(call.principal(), request.reports()));
            return queue->Apply(std::move(mutations), QueuedBytes(bytes));
          })),
      delete_(Method<v1::DeleteRequest, v1::DeleteResponse>(
          "Delete", {kAdminRole},
          // Not by the queue: the store takes its time over a large entity and lets reports in
          // between.
          [graph = backends.graph](Call& call, const v1::DeleteRequest& request,
                                   size_t) -> absl::Status {
            call.notes().subject = SubjectOf(request);
            ASSIGN_OR_RETURN(const Mutations mutations, ReadDeletion(request));
            return graph->Apply(mutations);
          })),
      narrow_(Method<v1::NarrowRequest, v1::NarrowResponse>(
          "Narrow", {kAdminRole},
          [graph = backends.graph](Call& call, const v1::NarrowRequest& request,
                                   size_t) -> absl::Status {
            call.notes().subject = SubjectOf(request);
            ASSIGN_OR_RETURN(const Mutations mutations, ReadNarrowing(request));
            return graph->Apply(mutations);
          })) {
  if (feed_ != nullptr) feed_->SetListener([this] { watches_.Wake(); });
}

IngestService::~IngestService() {
  if (feed_ != nullptr) feed_->SetListener(nullptr);
}

void IngestService::BeginDrain() {
  report_streams_.EndAll();
  watches_.EndAll();
}

StreamCounts IngestService::stream_counts() {
  return {report_streams_.open(), watches_.open(), reports_answered_, reports_refused_,
          changes_sent_};
}

grpc::ServerUnaryReactor* IngestService::ReportEntity(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, report_entity_, context, request, answer);
}

grpc::ServerUnaryReactor* IngestService::ReportAssociation(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, report_association_, context, request, answer);
}

grpc::ServerUnaryReactor* IngestService::ReportBatch(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, report_batch_, context, request, answer);
}

ReportReactor* IngestService::ReportStream(grpc::CallbackServerContext* context) {
  return ServeReportStream(environment_, report_backends_, ingest_roles_, context);
}

WatchReactor* IngestService::Watch(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request) {
  return ServeWatch(environment_, watch_backends_, read_roles_, context, request);
}

grpc::ServerUnaryReactor* IngestService::Delete(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, delete_, context, request, answer);
}

grpc::ServerUnaryReactor* IngestService::Narrow(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, narrow_, context, request, answer);
}

}  // namespace relations
