#include "server/relations_service.h"

#include <utility>

#include "server/answer.h"
#include "server/request_params.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/traversal.h"

namespace relations {

RelationsService::RelationsService(const CallEnvironment& environment, GraphStore* graph,
                                   std::vector<std::string> read_roles)
    : environment_(environment),
      graph_(graph),
      get_relations_{"GetRelations", std::move(read_roles),
                     [this](Call& call, const grpc::ByteBuffer& request, grpc::ByteBuffer& answer) {
                       return Walk(call, request, answer);
                     }} {}

grpc::ServerUnaryReactor* RelationsService::GetRelations(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, get_relations_, context, request, answer);
}

absl::Status RelationsService::Walk(Call& call, const grpc::ByteBuffer& request,
                                    grpc::ByteBuffer& answer) {
  v1::GetRelationsRequest message;
  RETURN_IF_ERROR(ParseRequest(request, message));
  CallNotes& notes = call.notes();
  // Not judged yet: an id of any length must not fill the log.
  notes.subject = message.id().substr(0, limits::kEntityIdBytesMax);
  ASSIGN_OR_RETURN(ExpandParams params, JudgeRequest(message));
  notes.limit = params.limit;
  notes.levels = params.levels;
  params.groups = call.principal().groups;
  params.check_alive = [&call] { return call.CheckAlive(); };
  ASSIGN_OR_RETURN(const ExpandedGraph graph, Expand(*graph_, params));
  notes.nodes = graph.nodes.size();
  notes.relations = graph.relations.size();
  notes.stop_reason = graph.stopped_by_limit ? "limit" : "complete";
  ASSIGN_OR_RETURN(answer, AssembleAnswer(graph));
  return absl::OkStatus();
}

}  // namespace relations
