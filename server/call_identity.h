// Who calls: whom a trusted hop asserts, else whom the credentials name.
//
// Errors: UNAUTHENTICATED, one message for every cause; RESOURCE_EXHAUSTED after too many failures
// of the peer; others are the authenticator's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "server/access/authenticator.h"

namespace relations {

struct CallEnvironment;

// Who calls, or what the log and the answer say of the one who may not.
struct CallIdentity {
  Principal principal;
  // Why he was refused, for the log; empty where the status says it.
  std::string cause;
  // Of a refusal for too many failures; else 0.
  int retry_after_s = 0;
};

// The outcome, when it is at hand. Otherwise nothing, and `later` is called once, maybe before this
// returns, on a thread that must not be held up. Until then `environment`, `context` and `identity`
// must live.
std::optional<absl::Status> BeginIdentifyCall(const CallEnvironment& environment,
                                              const grpc::CallbackServerContext& context,
                                              CallIdentity* identity,
                                              std::function<void(absl::Status)> later);

// The same, waiting for the outcome: for threads that are there to wait.
absl::Status IdentifyCall(const CallEnvironment& environment,
                          const grpc::CallbackServerContext& context, CallIdentity* identity);

}  // namespace relations
