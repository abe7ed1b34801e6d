#include "server/unknown_methods.h"

#include "server/grpc_status.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"

namespace relations {
namespace {

// Deletes itself when gRPC is done with it.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal() {
    const absl::Status error = PublicError(absl::StatusCode::kUnimplemented, reason::kUnimplemented,
                                           "the server has no such method");
    Finish(ToGrpcStatus(ClientErrorOf(error), NewUuid()));
  }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(grpc::GenericCallbackServerContext*) {
  // gRPC's reactors own themselves: OnDone deletes.
  return new Refusal;
}

}  // namespace relations
