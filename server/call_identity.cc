#include "server/call_identity.h"

#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/security/auth_context.h"
#include "server/call_metadata.h"
#include "server/rate_limits.h"
#include "server/trusted_hops.h"
#include "server/unary_call.h"
#include "storage/base/public_error.h"

namespace relations {
namespace {

// What the transport proves of the peer. Local credentials are given to no connection but those
// that were accepted as a trusted user's (server.cc).
PeerProof ProofOf(const grpc::AuthContext& transport) {
  PeerProof proof;
  for (const grpc::string_ref& type : transport.FindPropertyValues("transport_security_type")) {
    proof.trusted_uid |= type == "local";
  }
  for (const char* property : {"x509_common_name", "x509_subject_alternative_name"}) {
    for (const grpc::string_ref& name : transport.FindPropertyValues(property)) {
      if (transport.IsPeerAuthenticated()) {
        proof.certificate_names.emplace_back(name.data(), name.size());
      }
    }
  }
  return proof;
}

// The cause goes to the log; the client cannot tell one from another.
absl::Status Refusal() {
  return PublicError(absl::StatusCode::kUnauthenticated, reason::kUnauthenticated,
                     "authentication failed");
}

// What a verdict makes of a call. A refusal counts against the peer, where `limits` are his.
absl::Status TakeVerdict(Verdict verdict, RateLimits* limits,
                         const grpc::CallbackServerContext& context, CallIdentity* identity) {
  if (verdict.ok()) {
    identity->principal = *std::move(verdict);
    return absl::OkStatus();
  }
  if (verdict.status().code() != absl::StatusCode::kUnauthenticated) return verdict.status();
  if (limits != nullptr) limits->CountFailure(context.peer(), absl::Now());
  identity->cause = std::string(verdict.status().message());
  return Refusal();
}

}  // namespace

std::optional<absl::Status> BeginIdentifyCall(const CallEnvironment& environment,
                                              const grpc::CallbackServerContext& context,
                                              CallIdentity* identity,
                                              std::function<void(absl::Status)> later) {
  const TrustedHops* const hops = environment.trusted_hops;
  const bool trusted = hops != nullptr && IsTrusted(*hops, ProofOf(*context.auth_context()));
  if (trusted) {
    auto asserted = AssertedPrincipal(*hops, MetadataValues(context, "user-id"),
                                      MetadataValues(context, "groups"));
    if (!asserted.ok()) return asserted.status();
    if (asserted->has_value()) {
      identity->principal = **std::move(asserted);
      return absl::OkStatus();
    }
  }
  RateLimits* const limits = trusted ? nullptr : environment.rate_limits;
  const absl::Time now = absl::Now();
  if (const auto wait = limits ? limits->LookAtPeer(context.peer(), now) : std::nullopt) {
    identity->retry_after_s = wait->retry_after_s;
    identity->cause = "too many failed authentications from this peer";
    return PublicError(absl::StatusCode::kResourceExhausted, reason::kRateLimited,
                       "too many failed authentications");
  }
  const std::optional<Credentials> credentials =
      ParseCredentials({MetadataValues(context, "authorization"),
                        MetadataValues(context, "api-key"), MetadataValues(context, "api-secret")});
  if (!credentials.has_value()) {
    return TakeVerdict(absl::UnauthenticatedError("credentials missing or malformed"), limits,
                       context, identity);
  }
  std::optional<Verdict> verdict = environment.authenticator->Authenticate(
      *credentials, now, [limits, &context, identity, later = std::move(later)](Verdict judged) {
        later(TakeVerdict(std::move(judged), limits, context, identity));
      });
  if (!verdict.has_value()) return std::nullopt;
  return TakeVerdict(*std::move(verdict), limits, context, identity);
}

absl::Status IdentifyCall(const CallEnvironment& environment,
                          const grpc::CallbackServerContext& context, CallIdentity* identity) {
  // Shared: the setter may still be inside the promise when the waiter has its outcome.
  const auto promised = std::make_shared<std::promise<absl::Status>>();
  const std::optional<absl::Status> at_hand =
      BeginIdentifyCall(environment, context, identity,
                        [promised](absl::Status status) { promised->set_value(status); });
  return at_hand.has_value() ? *at_hand : promised->get_future().get();
}

}  // namespace relations
