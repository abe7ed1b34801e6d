// The answer to calls of methods that no service has: UNIMPLEMENTED with the error details that
// every refusal of this API has. gRPC's own would have none.
#pragma once

#include "grpcpp/generic/async_generic_service.h"

namespace relations {

// Thread-safe. To be registered as the generic service of a server, which it must outlive.
class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
};

}  // namespace relations
