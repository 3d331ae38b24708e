#pragma once

#include <utility>

#include "comm/operation.h"

namespace convoy {

/// A communicator whose collectives all go one way: each is written down as an Operation and started.
class OperationCommunicator : public Communicator {
 public:
  Pending start_all_reduce(void* data, std::int64_t count, Element element, Reduction reduction,
                           std::string name) final {
    return start({Collective::all_reduce, data, count, element, reduction, 0, std::move(name)});
  }
  Pending start_reduce_scatter(void* data, std::int64_t count_per_rank, Element element, Reduction reduction,
                               std::string name) final {
    return start({Collective::reduce_scatter, data, count_per_rank, element, reduction, 0, std::move(name)});
  }
  Pending start_all_gather(void* data, std::int64_t count_per_rank, Element element, std::string name) final {
    return start({Collective::all_gather, data, count_per_rank, element, Reduction::sum, 0, std::move(name)});
  }
  Pending start_broadcast(void* data, std::int64_t count, Element element, int root, std::string name) final {
    return start({Collective::broadcast, data, count, element, Reduction::sum, root, std::move(name)});
  }
  void barrier(std::string name) final {
    start({Collective::barrier, nullptr, 0, Element::u8, Reduction::sum, 0, std::move(name)}).wait();
  }

 private:
  virtual Pending start(Operation operation) = 0;
};

}  // namespace convoy
