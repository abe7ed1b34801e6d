// relations.v1.RelationsService: judges the parameters, walks the graph as the caller may see it
// and splices the answer. The contract is proto/relations/v1/relations.proto. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "relations/v1/relations.grpc.pb.h"
#include "server/unary_call.h"
#include "storage/graph_store.h"

namespace relations {

class RelationsService final : public v1::RelationsService::WithRawCallbackMethod_GetRelations<
                                   v1::RelationsService::Service> {
 public:
  // Callers need one of `read_roles`. `environment` and `graph` are not owned and must outlive
  // this.
  RelationsService(const CallEnvironment& environment, GraphStore* graph,
                   std::vector<std::string> read_roles);

  grpc::ServerUnaryReactor* GetRelations(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* answer) override;

 private:
  absl::Status Walk(Call& call, const grpc::ByteBuffer& request, grpc::ByteBuffer& answer);

  const CallEnvironment& environment_;
  GraphStore* graph_;
  const UnaryMethod get_relations_;
};

}  // namespace relations
