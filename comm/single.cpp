#include <cstdio>
#include <cstdlib>

#include "comm/communicator.h"
#include "comm/operation.h"

namespace convoy {
namespace {

/// In place, a collective of one rank has nothing to do.
class Single final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string kind() const override { return "single"; }

  Pending start_all_reduce(void* data, std::int64_t count, Element element, Reduction reduction,
                           std::string name) override {
    return done({Collective::all_reduce, data, count, element, reduction, 0, std::move(name)});
  }
  Pending start_reduce_scatter(void* data, std::int64_t count_per_rank, Element element, Reduction reduction,
                               std::string name) override {
    return done({Collective::reduce_scatter, data, count_per_rank, element, reduction, 0, std::move(name)});
  }
  Pending start_all_gather(void* data, std::int64_t count_per_rank, Element element,
                           std::string name) override {
    return done({Collective::all_gather, data, count_per_rank, element, Reduction::sum, 0, std::move(name)});
  }
  Pending start_broadcast(void* data, std::int64_t count, Element element, int root,
                          std::string name) override {
    return done({Collective::broadcast, data, count, element, Reduction::sum, root, std::move(name)});
  }
  void barrier(std::string /*name*/) override {}
  void note(std::int64_t /*step*/, const char* /*activity*/) override {}

  void abort(ExitCode code, const std::string& message) override {
    if (!message.empty()) fmt::print(stderr, "{}\n", message);
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(code));
  }

 private:
  static Pending done(const Operation& operation) {
    check(operation, 1);
    return {};
  }
};

}  // namespace

std::unique_ptr<Communicator> make_single() { return std::make_unique<Single>(); }

}  // namespace convoy
