#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "comm/mpi_engine.h"
#include "comm/operation_communicator.h"

namespace convoy {
namespace {

class Mpi final : public OperationCommunicator {
 public:
  Mpi(int* argc, char*** argv, const CommOptions& options)
      : queue_(std::make_shared<MpiQueue>(options.timeout_seconds)),
        engine_(std::make_shared<MpiEngine>(queue_, options.timeout_seconds)),
        // The thread owns the engine too: when MPI hangs it is left behind.
        thread_([engine = engine_, argc, argv] { engine->run(argc, argv); }) {
    try {
      queue_->wait_until_ready();
      if (options.status != nullptr) engine_->activity().mirror(options.status);
    } catch (...) {
      thread_.detach();
      throw;
    }
  }

  ~Mpi() override {
    bool clean = false;
    if (std::uncaught_exceptions() <= exceptions_ && !queue_->failed()) {
      try {
        start({Collective::shutdown, nullptr, 0, Element::u8, Reduction::sum, 0, "end of the program"})
            .wait();
        clean = true;
      } catch (const Error& error) {
        Mpi::abort(error.code(), error.what());
      }
    }
    queue_->request_stop(clean);
    if (queue_->wait_until_ended(10)) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

  int rank() const override { return engine_->rank(); }
  int size() const override { return engine_->size(); }
  int local_rank() const override { return engine_->local_rank(); }
  int local_size() const override { return engine_->local_size(); }
  std::string kind() const override { return "mpi"; }
  std::int64_t buffer_bytes() const override { return mpi_buffer_bytes(size()); }

  void note(std::int64_t step, const char* activity) override { engine_->activity().note(step, activity); }

  [[noreturn]] void abort(ExitCode code, const std::string& message) override {
    if (!message.empty()) fmt::print(stderr, "convoy: rank {}: {}\n", rank(), message);
    std::fflush(nullptr);
    queue_->request_abort(static_cast<int>(code));
    std::this_thread::sleep_for(std::chrono::seconds(6));
    std::_Exit(static_cast<int>(code));
  }

 private:
  Pending start(Operation operation) override {
    check(operation, size());
    return Pending(queue_->submit(std::move(operation)));
  }

  const int exceptions_ = std::uncaught_exceptions();
  std::shared_ptr<MpiQueue> queue_;
  std::shared_ptr<MpiEngine> engine_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi(int* argc, char*** argv, const CommOptions& options) {
  return std::make_unique<Mpi>(argc, argv, options);
}

}  // namespace convoy
