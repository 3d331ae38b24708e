#include "comm/mpi_control.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "comm/mpi_check.h"
#include "layers/device/cpu/host.h"

namespace convoy {
namespace {

constexpr int kQuestion = 1;
constexpr int kAnswer = 2;

struct Place {
  std::array<char, 64> host{};
  std::int64_t process = 0;
};

/// Copies what fits; the array stays zero-terminated.
template <std::size_t N>
void put(std::array<char, N>& to, const std::string& text) {
  std::memcpy(to.data(), text.data(), std::min(text.size(), N - 1));
}

}  // namespace

/// A question or an answer. All ranks run the same program on the same kind of machine, so it travels as it
/// lies.
struct MpiControl::Message {
  std::int64_t round = 0;
  std::int64_t sequence = 0;
  std::int64_t busy = 0;
  std::uint64_t signature = 0;
  std::int64_t step = 0;
  double seconds = 0;
  std::array<char, 160> operation{};
  std::array<char, 64> ended{};
  std::array<char, 128> activity{};
};

struct MpiControl::Sending {
  Message message;
  MPI_Request request = MPI_REQUEST_NULL;
};

MpiControl::MpiControl(std::function<RankStatus()> status) : status_(std::move(status)) {
  CONVOY_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &comm_));
  CONVOY_MPI(MPI_Comm_rank(comm_, &rank_));
  CONVOY_MPI(MPI_Comm_size(comm_, &size_));

  meet_host();
  meet_all();
}

void MpiControl::meet_host() {
  MPI_Comm local = MPI_COMM_NULL;
  CONVOY_MPI(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local));
  CONVOY_MPI(MPI_Comm_rank(local, &local_rank_));
  CONVOY_MPI(MPI_Comm_size(local, &local_size_));
  CONVOY_MPI(MPI_Comm_free(&local));
}

void MpiControl::meet_all() {
  Place mine;
  put(mine.host, host_name());
  mine.process = getpid();
  std::vector<Place> places(static_cast<std::size_t>(size_));
  constexpr int kBytes = sizeof(Place);
  CONVOY_MPI(MPI_Allgather(&mine, kBytes, MPI_BYTE, places.data(), kBytes, MPI_BYTE, comm_));
  for (const Place& place : places) {
    const int rank = static_cast<int>(peers_.size());
    peers_.push_back({rank, fmt::format("host {}, pid {}", place.host.data(), place.process), {}});
  }
}

MpiControl::~MpiControl() = default;

void MpiControl::send(int to, int tag, std::int64_t round) {
  Sending& sending = *sending_.emplace_back(std::make_unique<Sending>());
  Message& message = sending.message;
  message.round = round;
  if (tag == kAnswer) {
    const RankStatus status = status_();
    message.sequence = status.sequence;
    message.busy = status.busy ? 1 : 0;
    message.signature = status.signature;
    message.step = status.activity.step;
    message.seconds = status.activity.seconds;
    put(message.operation, status.operation);
    put(message.ended, status.ended);
    put(message.activity, status.activity.text);
  }
  CONVOY_MPI(MPI_Isend(&message, sizeof(Message), MPI_BYTE, to, tag, comm_, &sending.request));
}

void MpiControl::serve() {
  for (;;) {
    int found = 0;
    MPI_Status probed;
    CONVOY_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_, &found, &probed));
    if (found == 0) break;
    receive(probed);
  }
  for (auto sending = sending_.begin(); sending != sending_.end();) {
    int sent = 0;
    CONVOY_MPI(MPI_Test(&(*sending)->request, &sent, MPI_STATUS_IGNORE));
    sending = sent != 0 ? sending_.erase(sending) : std::next(sending);
  }
}

void MpiControl::receive(const MPI_Status& probed) {
  Message message;
  CONVOY_MPI(MPI_Recv(&message, sizeof(Message), MPI_BYTE, probed.MPI_SOURCE, probed.MPI_TAG, comm_,
                      MPI_STATUS_IGNORE));
  if (probed.MPI_TAG == kQuestion) {
    send(probed.MPI_SOURCE, kAnswer, message.round);
    return;
  }
  --unanswered_;
  if (message.round != round_) return;  // a late answer tells nothing about now
  RankStatus status;
  status.sequence = message.sequence;
  status.busy = message.busy != 0;
  status.signature = message.signature;
  status.operation = message.operation.data();
  status.ended = message.ended.data();
  status.activity = {message.step, message.activity.data(), message.seconds};
  peers_[static_cast<std::size_t>(probed.MPI_SOURCE)].status = std::move(status);
}

void MpiControl::ask() {
  ++round_;
  for (Peer& peer : peers_) {
    peer.status.reset();
    if (peer.rank == rank_) continue;
    send(peer.rank, kQuestion, round_);
    ++unanswered_;
  }
}

std::vector<Peer> MpiControl::peers() const {
  std::vector<Peer> all = peers_;
  all[static_cast<std::size_t>(rank_)].status = status_();
  return all;
}

bool MpiControl::quiet() const { return unanswered_ == 0 && sending_.empty(); }

void MpiControl::close() { CONVOY_MPI(MPI_Comm_free(&comm_)); }

}  // namespace convoy
