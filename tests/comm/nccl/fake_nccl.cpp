#include "tests/comm/nccl/fake_nccl.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "tests/layers/device/cuda/fake_cuda.h"

namespace {

enum class Kind { all_reduce, reduce_scatter, all_gather };

/// What a rank brings to a collective.
struct Part {
  Kind kind = Kind::all_reduce;
  const void* from = nullptr;
  void* to = nullptr;
  std::size_t count = 0;
  ncclDataType_t type = ncclUint8;
  bool recorded = false;  ///< in a graph
  bool fits(const Part& other) const {
    return kind == other.kind && count == other.count && type == other.type && recorded == other.recorded;
  }
};

struct Meeting {
  std::map<int, Part> parts;
  bool done = false;
};

struct Group {
  std::mutex mutex;
  std::condition_variable changed;
  int ranks = 0;
  int joined = 0;
  std::map<std::int64_t, Meeting> meetings;
};

std::mutex all_mutex;
std::map<int, std::shared_ptr<Group>> groups;  ///< by unique id
int last_id = 0;
std::mutex faults_mutex;
convoy::FakeNcclFaults faults;

convoy::FakeNcclFaults faults_now() {
  const std::lock_guard lock(faults_mutex);
  return faults;
}

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat64:
      return 8;
    case ncclFloat32:
      return 4;
    case ncclUint8:
      return 1;
    default:
      return 2;
  }
}

template <class T>
void add_up(const std::vector<Part>& parts, std::size_t first, std::size_t count, void* to) {
  for (std::size_t i = 0; i < count; ++i) {
    // Each partial sum has the type's precision, as NCCL's has.
    T sum = static_cast<const T*>(parts[0].from)[first + i];
    for (std::size_t rank = 1; rank < parts.size(); ++rank) {
      const T other = static_cast<const T*>(parts[rank].from)[first + i];
      if constexpr (sizeof(T) >= 4) {
        sum += other;
      } else {
        sum = T(float(sum) + float(other));
      }
    }
    static_cast<T*>(to)[i] = sum;
  }
}

void add_up(const std::vector<Part>& parts, std::size_t first, std::size_t count, void* to) {
  switch (parts[0].type) {
    case ncclFloat64:
      return add_up<double>(parts, first, count, to);
    case ncclFloat32:
      return add_up<float>(parts, first, count, to);
    case ncclFloat16:
      return add_up<convoy::Float16>(parts, first, count, to);
    default:
      return add_up<convoy::BFloat16>(parts, first, count, to);
  }
}

/// The whole collective, by the rank that comes last.
void perform(const std::map<int, Part>& by_rank) {
  std::vector<Part> parts;
  for (const auto& [rank, part] : by_rank) {
    parts.push_back(part);
    if (part.fits(parts.front())) continue;
    // Where NCCL would hang, or mix up memory: collectives of graphs register it with all ranks together.
    std::fputs("fake NCCL: ranks meet in different collectives, or some recorded theirs and some did not\n",
               stderr);
    std::abort();
  }
  const std::size_t bytes = parts[0].count * size_of(parts[0].type);
  std::vector<std::vector<std::byte>> results;
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    std::vector<std::byte>& result =
        results.emplace_back(bytes * (parts[0].kind == Kind::all_gather ? parts.size() : 1));
    if (parts[0].kind == Kind::all_gather) {
      for (std::size_t other = 0; other < parts.size(); ++other)
        std::memcpy(result.data() + other * bytes, parts[other].from, bytes);
    } else {
      add_up(parts, parts[0].kind == Kind::reduce_scatter ? rank * parts[0].count : 0, parts[0].count,
             result.data());
    }
  }
  for (std::size_t rank = 0; rank < parts.size(); ++rank)
    std::memcpy(parts[rank].to, results[rank].data(), results[rank].size());
}

}  // namespace

/// A rank's communicator.
struct ncclComm {
  int rank = 0;
  std::shared_ptr<Group> group;
  std::atomic<bool> aborted{false};
  std::atomic<int> unsettled{0};   ///< questions until the last call is settled
  std::function<void()> launch;    ///< puts its work into its stream then, and not before
  std::atomic<int> recordings{0};  ///< pieces of work that graphs hold
  std::atomic<bool> joined{false};
  std::atomic<bool> finalized{false};
  std::atomic<std::int64_t> met{0};
};

namespace {

/// In the stream's thread. `comm` lives as long as work of it may be in a stream or a graph.
void meet(const std::shared_ptr<ncclComm>& comm, const Part& part) {
  Group& group = *comm->group;
  std::unique_lock lock(group.mutex);
  const auto gone = [&] { return comm->aborted.load(); };
  while (faults_now().hangs == comm->rank && !gone())
    group.changed.wait_for(lock, std::chrono::milliseconds(5));
  const std::int64_t number = comm->met++;
  Meeting& meeting = group.meetings[number];
  meeting.parts[comm->rank] = part;
  if (static_cast<int>(meeting.parts.size()) == group.ranks && !gone()) {
    perform(meeting.parts);
    meeting.done = true;
    group.changed.notify_all();
  }
  group.changed.wait(lock, [&] { return meeting.done || gone(); });
}

std::mutex comms_mutex;
std::map<ncclComm*, std::shared_ptr<ncclComm>> comms;

std::shared_ptr<ncclComm> held(ncclComm* comm) {
  const std::lock_guard lock(comms_mutex);
  return comms.at(comm);
}

ncclResult_t begin(ncclComm* comm, Part part, cudaStream_t stream) {
  if (comm->unsettled > 0 || !comm->joined) return ncclInvalidUsage;
  part.recorded = convoy::fake_cuda::records(stream);
  std::shared_ptr<void> reference;
  if (part.recorded) {
    ++comm->recordings;
    reference.reset(comm, [kept = held(comm)](void*) { --kept->recordings; });
  }
  comm->launch = [comm = held(comm), part, reference, stream] {
    convoy::fake_cuda::put(stream, [comm, part, reference] { meet(comm, part); });
  };
  comm->unsettled = 2;
  return ncclInProgress;
}

/// Until no graph has work of it: NCCL frees nothing before, and does not return.
void wait_for_graphs(const ncclComm& comm) {
  while (comm.recordings > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

ncclResult_t get_version(int* version) {
  *version = 22809;
  return ncclSuccess;
}

ncclResult_t get_unique_id(ncclUniqueId* id) {
  const std::lock_guard lock(all_mutex);
  ++last_id;
  std::memcpy(id->internal, &last_id, sizeof last_id);
  return ncclSuccess;
}

ncclResult_t init_rank(ncclComm_t* made, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidArgument;
  if (faults_now().fails_to_join == rank) return ncclSystemError;
  int number = 0;
  std::memcpy(&number, id.internal, sizeof number);
  auto comm = std::make_shared<ncclComm>();
  {
    const std::lock_guard lock(all_mutex);
    std::shared_ptr<Group>& group = groups[number];
    if (group == nullptr) group = std::make_shared<Group>();
    comm->group = group;
  }
  comm->rank = rank;
  const std::lock_guard lock(comm->group->mutex);
  comm->group->ranks = ranks;
  if (faults_now().never_joins != rank) ++comm->group->joined;
  *made = comm.get();
  const std::lock_guard comms_lock(comms_mutex);
  comms[comm.get()] = comm;
  return ncclInProgress;
}

ncclResult_t get_async_error(ncclComm_t comm, ncclResult_t* state) {
  *state = ncclSuccess;
  if (faults_now().fails == comm->rank) {
    *state = ncclRemoteError;
  } else if (!comm->joined) {
    const std::lock_guard lock(comm->group->mutex);
    comm->joined = comm->group->joined == comm->group->ranks;
    if (!comm->joined) *state = ncclInProgress;
  } else if (comm->unsettled > 1 || (comm->finalized && comm->recordings > 0)) {
    --comm->unsettled;
    *state = ncclInProgress;
  } else if (comm->unsettled == 1) {
    if (const auto launch = std::exchange(comm->launch, nullptr)) launch();
    comm->unsettled = 0;
  }
  return ncclSuccess;
}

ncclResult_t finalize(ncclComm_t comm) {
  comm->finalized = true;
  comm->unsettled = 2;
  return ncclInProgress;
}

ncclResult_t destroy(ncclComm_t comm) {
  const std::lock_guard lock(comms_mutex);
  return comms.erase(comm) == 1 ? ncclSuccess : ncclInvalidArgument;
}

ncclResult_t abort_comm(ncclComm_t comm) {
  const std::shared_ptr<ncclComm> kept = held(comm);
  {
    const std::lock_guard lock(kept->group->mutex);
    kept->aborted = true;
  }
  kept->group->changed.notify_all();
  comm->launch = nullptr;
  wait_for_graphs(*kept);
  return destroy(comm);
}

const char* error_string(ncclResult_t code) {
  switch (code) {
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclSystemError:
      return "unhandled system error";
    case ncclInvalidUsage:
      return "invalid usage";
    default:
      return "no words for it";
  }
}

const char* last_error(ncclComm_t) { return "Connect to 10.0.0.1 failed"; }

ncclResult_t all_reduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                        ncclComm_t comm, cudaStream_t stream) {
  return begin(comm, {Kind::all_reduce, from, to, count, type}, stream);
}

ncclResult_t reduce_scatter(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                            ncclComm_t comm, cudaStream_t stream) {
  return begin(comm, {Kind::reduce_scatter, from, to, count, type}, stream);
}

ncclResult_t all_gather(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclComm_t comm,
                        cudaStream_t stream) {
  return begin(comm, {Kind::all_gather, from, to, count, type}, stream);
}

}  // namespace

namespace convoy {

NcclLibrary fake_nccl() {
  return {get_version, get_unique_id, init_rank,  get_async_error, finalize,       destroy,
          abort_comm,  error_string,  last_error, all_reduce,      reduce_scatter, all_gather};
}

void set_faults(const FakeNcclFaults& wanted) {
  const std::lock_guard lock(faults_mutex);
  faults = wanted;
}

}  // namespace convoy
