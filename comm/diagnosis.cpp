#include "comm/diagnosis.h"

namespace convoy {
namespace {

std::string duration(double seconds) {
  return seconds < 10 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string place_in_program(const Activity::Snapshot& activity) {
  if (activity.step < 0) return activity.text;
  return fmt::format("step {}, {}", activity.step, activity.text);
}

/// What is to blame about a peer, or "".
std::string blame(const RankStatus& self, const Peer& peer, bool final) {
  if (!peer.status) return final ? "does not answer (stopped, dead, or its host is unreachable)" : "";
  const RankStatus& status = *peer.status;
  if (!status.ended.empty() && status.sequence <= self.sequence) {
    return fmt::format("{}; it was at {}", status.ended, text_of(status.activity));
  }
  if (final && !status.busy && status.sequence < self.sequence) {
    return fmt::format("answers but has not joined; it is at {}", text_of(status.activity));
  }
  return "";
}

/// A rank that has ended leaves it to the others to find that out, and waits.
bool disagrees(const RankStatus& self, const Peer& peer, bool final) {
  if (!self.ended.empty() && !final) return false;
  return peer.status && peer.status->busy && peer.status->sequence == self.sequence &&
         peer.status->signature != self.signature;
}

}  // namespace

std::string text_of(const Activity::Snapshot& activity) {
  return fmt::format("{}, for {}", place_in_program(activity), duration(activity.seconds));
}

std::optional<Error> diagnose(const Peer& self, double waited_seconds, std::span<const Peer> peers,
                              bool final) {
  const RankStatus& status = *self.status;
  std::string missing;
  std::string disagreeing;
  for (const Peer& peer : peers) {
    if (peer.rank == self.rank) continue;
    const std::string fault = blame(status, peer, final);
    if (!fault.empty()) {
      missing += fmt::format("\n  rank {} ({}) {}", peer.rank, peer.place, fault);
    } else if (disagrees(status, peer, final)) {
      disagreeing +=
          fmt::format("\n  rank {} ({}) is in {} instead", peer.rank, peer.place, peer.status->operation);
    }
  }
  if (!final && missing.empty() && disagreeing.empty()) return {};

  const std::string waited = fmt::format("rank {} ({}) waited {} in operation {}, {}, at {}", self.rank,
                                         self.place, duration(waited_seconds), status.sequence,
                                         status.operation, place_in_program(status.activity));
  if (!missing.empty()) return Error(ExitCode::lost_rank, waited + "; missing:" + missing);
  if (!disagreeing.empty()) {
    const ExitCode code = status.ended.empty() ? ExitCode::internal : ExitCode::lost_rank;
    return Error(code, waited + "; the ranks do not do the same operation:" + disagreeing);
  }
  return Error(
      ExitCode::lost_rank,
      waited + "; every rank answers and has joined, but the data does not arrive: see to the network");
}

}  // namespace convoy
