#include "tests/layers/device/cuda/fake_cuda.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "layers/device/cuda/check.h"

namespace {

using Work = std::function<void()>;

/// A place in a stream's work.
struct Point {
  bool reached = false;
};

std::mutex mutex;  ///< of all that follows, and of points, events and recordings
std::condition_variable reached;
std::map<void*, std::pair<int, std::size_t>> allocations;  ///< device and bytes
std::array<std::int64_t, 16> used{};
int devices = 4;
std::atomic<int> delay{0};
std::atomic<std::int64_t> graphs_launched{0};
std::atomic<std::int64_t> host_waits{0};
thread_local int current = 0;
thread_local int captures = 0;  ///< that this thread has begun, and not ended

}  // namespace

/// A graph: work in the order in which it was recorded, and the streams that have not been joined since.
struct CUgraph_st {
  std::vector<Work> work;
  CUstream_st* origin = nullptr;
  struct Branch {
    std::size_t end = 0;     ///< size of `work` after its last piece
    std::size_t joined = 0;  ///< size of `work` that the origin waits for
  };
  std::map<CUstream_st*, Branch> branches;  ///< of the other streams
};

struct CUgraphExec_st {
  std::vector<Work> work;
};

struct CUevent_st {
  std::shared_ptr<Point> point;        ///< null: never recorded
  std::weak_ptr<CUgraph_st> recorded;  ///< in a recording
  CUstream_st* stream = nullptr;       ///< of that recording
  bool was_recorded_in_graph = false;
  std::size_t at = 0;  ///< size of the graph then
};

struct CUstream_st {
  CUstream_st() : thread([this] { run(); }) {}
  ~CUstream_st() {
    {
      const std::lock_guard lock(own);
      stops = true;
    }
    changed.notify_all();
    thread.join();
  }
  void put(Work work) {
    {
      const std::lock_guard lock(own);
      queue.push_back(std::move(work));
    }
    changed.notify_all();
  }
  void run() {
    unsigned turn = 0;
    for (;;) {
      Work work;
      {
        std::unique_lock lock(own);
        changed.wait(lock, [&] { return stops || !queue.empty(); });
        if (queue.empty()) return;
        work = std::move(queue.front());
        queue.pop_front();
      }
      if (const int most = delay; most > 0) {
        turn = turn * 1664525U + 1013904223U +
               static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(this) >> 6);
        std::this_thread::sleep_for(std::chrono::microseconds(turn / 65536U % static_cast<unsigned>(most)));
      }
      work();
    }
  }

  const int device = current;
  std::shared_ptr<CUgraph_st> graph;  ///< what it records into, by `mutex`
  std::mutex own;
  std::condition_variable changed;
  std::deque<Work> queue;
  bool stops = false;
  std::thread thread;
};

namespace {

std::map<cudaGraph_t, std::shared_ptr<CUgraph_st>> graphs;
std::set<CUstream_st*> streams;

/// Into the stream, or into what it records.
cudaError_t give(CUstream_st* stream, Work work) {
  std::shared_ptr<CUgraph_st> graph;
  {
    const std::lock_guard lock(mutex);
    graph = stream->graph;
    if (graph != nullptr) {
      graph->work.push_back(std::move(work));
      if (stream != graph->origin) graph->branches[stream].end = graph->work.size();
      return cudaSuccess;
    }
  }
  stream->put(std::move(work));
  return cudaSuccess;
}

bool recording(CUstream_st* stream) {
  const std::lock_guard lock(mutex);
  return stream->graph != nullptr;
}

/// What CUDA calls unsafe: a thread must not do it between the begin and the end of a capture of its own,
/// with whatever stream or event.
bool unsafe_now() { return captures > 0; }

void wait_for(const std::shared_ptr<Point>& point) {
  std::unique_lock lock(mutex);
  reached.wait(lock, [&] { return point->reached; });
}

void reach(const std::shared_ptr<Point>& point) {
  {
    const std::lock_guard lock(mutex);
    point->reached = true;
  }
  reached.notify_all();
}

std::shared_ptr<Point> mark(CUstream_st* stream) {
  auto point = std::make_shared<Point>();
  stream->put([point] { reach(point); });
  return point;
}

/// What cudaGetLastError tells; also that an event is not reached counts as an error.
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t failed(cudaError_t code) {
  last_error = code;
  return code;
}

}  // namespace

namespace convoy::fake_cuda {

void set_devices(int count) { devices = count; }
void set_delay(int microseconds) { delay = microseconds; }
void put(CUstream_st* stream, Work work) {
  (void)give(stream, std::move(work));
  CONVOY_CUDA(cudaGetLastError());  // as after every launch
}
bool records(CUstream_st* stream) { return recording(stream); }
std::int64_t allocated(int device) {
  const std::lock_guard lock(mutex);
  return used[static_cast<std::size_t>(device)];
}
std::int64_t launched_graphs() { return graphs_launched; }
std::int64_t waits_of_host() { return host_waits; }

}  // namespace convoy::fake_cuda

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = devices;
  return devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= devices) return cudaErrorInvalidDevice;
  current = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* all_bytes) {
  const std::lock_guard lock(mutex);
  *all_bytes = convoy::fake_cuda::kMemory;
  *free_bytes =
      convoy::fake_cuda::kMemory - static_cast<std::size_t>(used[static_cast<std::size_t>(current)]);
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  if (bytes < (std::size_t{64} << 20)) std::memset(*memory, 0xA5, bytes);
  const std::lock_guard lock(mutex);
  allocations[*memory] = {current, bytes};
  used[static_cast<std::size_t>(current)] += static_cast<std::int64_t>(bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  (void)cudaDeviceSynchronize();
  const std::lock_guard lock(mutex);
  const auto found = allocations.find(memory);
  if (found == allocations.end()) return cudaErrorInvalidValue;
  used[static_cast<std::size_t>(found->second.first)] -= static_cast<std::int64_t>(found->second.second);
  allocations.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  *memory = std::malloc(bytes);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  return give(stream, [=] { std::memmove(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  return give(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  *stream = new CUstream_st;
  const std::lock_guard lock(mutex);
  streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  {
    const std::lock_guard lock(mutex);
    streams.erase(stream);
  }
  delete stream;  // works off what is left
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (unsafe_now() || recording(stream)) return cudaErrorStreamCaptureUnsupported;
  ++host_waits;
  wait_for(mark(stream));
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  std::vector<CUstream_st*> own;
  {
    const std::lock_guard lock(mutex);
    for (CUstream_st* stream : streams) {
      if (stream->device == current) own.push_back(stream);
    }
  }
  for (CUstream_st* stream : own) wait_for(mark(stream));
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  {
    const std::lock_guard lock(mutex);
    event->was_recorded_in_graph = stream->graph != nullptr;
    if (stream->graph != nullptr) {
      event->recorded = stream->graph;
      event->stream = stream;
      event->at = stream->graph->work.size();
      return cudaSuccess;
    }
  }
  auto point = mark(stream);
  const std::lock_guard lock(mutex);
  event->point = std::move(point);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  const std::lock_guard lock(mutex);
  if (event->was_recorded_in_graph) return failed(cudaErrorCapturedEvent);
  return event->point == nullptr || event->point->reached ? cudaSuccess : failed(cudaErrorNotReady);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (unsafe_now()) return failed(cudaErrorStreamCaptureUnsupported);
  std::shared_ptr<Point> point;
  {
    const std::lock_guard lock(mutex);
    if (event->was_recorded_in_graph) return cudaErrorCapturedEvent;
    point = event->point;
    if (point == nullptr || point->reached) return cudaSuccess;
  }
  ++host_waits;
  wait_for(point);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  std::shared_ptr<Point> point;
  {
    const std::lock_guard lock(mutex);
    if (event->was_recorded_in_graph) {
      const std::shared_ptr<CUgraph_st> graph = event->recorded.lock();
      if (graph == nullptr || (stream->graph != nullptr && stream->graph != graph))
        return cudaErrorStreamCaptureIsolation;
      if (stream->graph == nullptr) {
        stream->graph = graph;  // takes part from now on
        graph->branches[stream].end = graph->work.size();
      }
      if (stream == graph->origin && event->stream != stream) {
        std::size_t& joined = graph->branches[event->stream].joined;
        joined = std::max(joined, event->at);
      }
      return cudaSuccess;
    }
    if (stream->graph != nullptr) return cudaErrorStreamCaptureIsolation;
    point = event->point;
  }
  if (point != nullptr) stream->put([point] { wait_for(point); });
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const std::lock_guard lock(mutex);
  if (stream->graph != nullptr) return cudaErrorIllegalState;
  stream->graph = std::make_shared<CUgraph_st>();
  stream->graph->origin = stream;
  graphs[stream->graph.get()] = stream->graph;
  ++captures;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex);
  const std::shared_ptr<CUgraph_st> made = stream->graph;
  if (made == nullptr || made->origin != stream) return cudaErrorStreamCaptureUnmatched;
  if (captures == 0) return cudaErrorStreamCaptureWrongThread;
  --captures;
  stream->graph = nullptr;
  bool all_joined = true;
  for (auto& [other, branch] : made->branches) {
    other->graph = nullptr;
    all_joined = all_joined && branch.joined >= branch.end;
  }
  *graph = all_joined ? made.get() : nullptr;
  if (!all_joined) graphs.erase(made.get());
  return all_joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const std::lock_guard lock(mutex);
  *exec = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::lock_guard lock(mutex);
  graphs.erase(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  ++graphs_launched;
  stream->put([work = exec->work] {
    for (const Work& one : work) one();
  });
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

}  // extern "C"
